import { Component, type ReactNode } from "react";
import { language, translators } from "../i18n";
import style from "./ErrorBoundary.module.css";

/** Catches what goes wrong while drawing, and offers to load the page again. Nothing that was written is lost: the outbox keeps it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    if (!this.state.broken) {
      return this.props.children;
    }
    const t = translators[language()];
    return (
      <main className={style.broken} role="alert">
        <h1>{t("error.title")}</h1>
        <p>{t("error.body")}</p>
        <button type="button" onClick={() => location.reload()}>
          {t("error.reload")}
        </button>
      </main>
    );
  }
}

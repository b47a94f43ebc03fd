import { Component, type ReactNode } from "react";
import { i18next } from "../i18n";
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
    return (
      <main className={style.broken} role="alert">
        <h1>{i18next.t("error.title")}</h1>
        <p>{i18next.t("error.body")}</p>
        <button type="button" onClick={() => location.reload()}>
          {i18next.t("error.reload")}
        </button>
      </main>
    );
  }
}

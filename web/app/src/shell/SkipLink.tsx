import type { MouseEvent } from "react";
import { useTranslation } from "../i18n";
import style from "./SkipLink.module.css";

/** The first stop of the keyboard: past the navigation. It is seen only while it has the focus. */
export function SkipLink() {
  const { t } = useTranslation();
  // A plain "#main" would be a place of the app.
  const skip = (event: MouseEvent) => {
    event.preventDefault();
    document.getElementById("main")?.focus();
  };
  return (
    <a className={style.skip} href="#main" onClick={skip}>
      {t("nav.skip")}
    </a>
  );
}

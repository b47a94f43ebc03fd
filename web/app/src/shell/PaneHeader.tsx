import { ArrowLeft } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "../i18n";
import { ConnectionDot } from "./ConnectionDot";
import style from "./PaneHeader.module.css";

/** The head of a pane. `back` is an href, and shown on narrow screens only unless `backAlways`. */
export function PaneHeader(props: {
  title: ReactNode;
  subtitle?: ReactNode;
  leading?: ReactNode;
  actions?: ReactNode;
  back?: string;
  backAlways?: boolean;
}) {
  const { t } = useTranslation();
  return (
    <header className={style.header}>
      {props.back !== undefined && (
        <a className={style.back} href={props.back} aria-label={t("nav.back")} data-always={props.backAlways ?? false}>
          <ArrowLeft aria-hidden size={20} />
        </a>
      )}
      {props.leading}
      <div className={style.titles}>
        <h1 className={style.title}>{props.title}</h1>
        {props.subtitle !== undefined && <p className={style.subtitle}>{props.subtitle}</p>}
      </div>
      <span className={style.dot}>
        <ConnectionDot />
      </span>
      {props.actions !== undefined && <div className={style.actions}>{props.actions}</div>}
    </header>
  );
}

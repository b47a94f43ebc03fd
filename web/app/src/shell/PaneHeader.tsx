import { ArrowLeft } from "lucide-react";
import type { MouseEvent, ReactNode } from "react";
import { useTranslation } from "../i18n";
import { ConnectionDot } from "./ConnectionDot";
import style from "./PaneHeader.module.css";
import { back } from "./route";

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
        <a
          className={style.back}
          href={props.back}
          aria-label={t("nav.back")}
          data-always={props.backAlways ?? false}
          onClick={(event) => props.back && goBack(event, props.back)}
        >
          <ArrowLeft aria-hidden size={20} />
        </a>
      )}
      {props.leading}
      <div className={style.titles}>
        {props.title !== "" && (
          <h1 className={style.title} tabIndex={-1}>
            {props.title}
          </h1>
        )}
        {props.subtitle !== undefined && <p className={style.subtitle}>{props.subtitle}</p>}
      </div>
      <span className={style.dot}>
        <ConnectionDot />
      </span>
      {props.actions !== undefined && <div className={style.actions}>{props.actions}</div>}
    </header>
  );
}

// Whoever asks for another tab gets it.
function goBack(event: MouseEvent, to: string): void {
  if (!event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    back(to);
  }
}

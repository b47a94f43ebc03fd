import { useTranslation } from "../i18n";
import { useConnection } from "../store/connection";
import style from "./Connection.module.css";

/**
 * Tells the connection's state: above everything while there is none, only to screen readers while there is. A first
 * connection that comes at once is not worth a bar, so it fades in late.
 */
export function ConnectionBar() {
  const { t } = useTranslation();
  const state = useConnection((s) => s.state);
  const connection = useConnection((s) => s.connection);
  const fine = state === "connected";
  return (
    <div className={style.bar} data-state={state}>
      <p role="status" aria-label={t("connection.label")} className={fine ? "hidden-text" : style.text}>
        {t(`connection.${state}`)}
      </p>
      {state === "reconnecting" && (
        <button type="button" className={style.now} onClick={() => connection?.reconnect()}>
          {t("connection.now")}
        </button>
      )}
    </div>
  );
}

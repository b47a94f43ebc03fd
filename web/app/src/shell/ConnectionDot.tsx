import { useTranslation } from "../i18n";
import { useConnection } from "../store/connection";
import style from "./Connection.module.css";

/** A small sign of the connection's state. The words are ConnectionBar's; this one is for the eye. */
export function ConnectionDot() {
  const { t } = useTranslation();
  const state = useConnection((s) => s.state);
  return <span className={style.dot} data-state={state} title={t(`connection.${state}`)} aria-hidden />;
}

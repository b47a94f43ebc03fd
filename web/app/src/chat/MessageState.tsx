import type { TFunction } from "../i18n";
import { clock } from "../shell/time";
import { currentConnection } from "../store/connection";
import { forgetOutgoing } from "../store/messages";
import type { Row } from "../store/timeline";
import style from "./MessageRow.module.css";

/** What stands below a bubble: the time under the last of a group, and of one's own how far it has come. */
export function MessageState(props: { t: TFunction; row: Row; read: boolean; newest: boolean }) {
  const { t, row, read, newest } = props;
  if (row.outgoing?.status === "failed") {
    return <Failed t={t} row={row} />;
  }
  const state = stateOf(row, read, newest);
  if (!row.last && state === null) {
    return null;
  }
  return (
    <p className={style.meta}>
      <time dateTime={row.at}>{clock(row.at)}</time>
      {state && (
        <span className={style.state} data-state={state}>
          {t(`chat.${state}`)}
        </span>
      )}
    </p>
  );
}

function stateOf(row: Row, read: boolean, newest: boolean): "sending" | "sent" | "read" | null {
  if (!row.mine || row.message?.type === "removed") {
    return null;
  }
  if (read) {
    return "read";
  }
  if (row.outgoing?.status === "sending") {
    return row.last ? "sending" : null;
  }
  return newest ? "sent" : null;
}

function Failed({ t, row }: { t: TFunction; row: Row }) {
  const { client_id, room_id, error } = row.outgoing!;
  const discard = () => {
    currentConnection().discard(client_id);
    forgetOutgoing(room_id, client_id);
  };
  return (
    <p className={style.meta} data-failed title={error?.message}>
      <span>{t("chat.failed")}</span>
      <button type="button" className="word" onClick={() => currentConnection().retry(client_id)}>
        {t("chat.retry")}
      </button>
      <button type="button" className="word" onClick={discard}>
        {t("chat.discard")}
      </button>
    </p>
  );
}

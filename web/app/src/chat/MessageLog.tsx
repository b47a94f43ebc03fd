import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "../i18n";
import type { Room } from "@parley-im/sdk";
import { looks, onLooks } from "../shell/looks";
import { load, useMessages } from "../store/messages";
import { useRooms } from "../store/rooms";
import { useMyId } from "../store/session";
import { readRow, rowsOf } from "../store/timeline";
import type { Window } from "../store/window";
import { LoadFailed } from "./LoadFailed";
import { MessageMenu, type MenuTarget } from "./MessageMenu";
import style from "./MessageLog.module.css";
import { MessageRow } from "./MessageRow";
import { RowList } from "./RowList";

/** The messages of one room, with what is on its way. */
export function MessageLog({ room }: { room: Room }) {
  const held = useMessages((s) => s.windows[room.id]);
  const failed = useMessages((s) => s.failed[room.id]);
  const missing = !held;
  useEffect(() => {
    if (missing) {
      void load(room.id, "newest"); // also for a room that went and came back while it is open
    }
  }, [room.id, missing]);
  if (held) {
    return <Log room={room} held={held} />;
  }
  return (
    <div className={style.waiting} aria-busy={!failed}>
      {failed ? <LoadFailed onRetry={() => void load(room.id, "newest")} /> : <span className={style.spinner} />}
    </div>
  );
}

const none: readonly never[] = [];

function Log({ room, held }: { room: Room; held: Window }) {
  const { t } = useTranslation();
  const myId = useMyId();
  const outgoing = useMessages((s) => s.outgoing[room.id]) ?? none;
  // Reading begins at the place that was unread at the moment of opening.
  const [opened] = useState(() => ({
    freshSeq: room.unread > 0 ? Math.max(room.read_seq + 1, room.first_seq) : null,
    epoch: held.epoch,
  }));
  const freshSeq = useFreshSeq(room, opened.freshSeq);
  const rows = useMemo(
    () => rowsOf(held, held.tail ? outgoing : none, myId, freshSeq),
    [held, outgoing, myId, freshSeq],
  );
  const [menu, setMenu] = useState<MenuTarget | null>(null);
  const heardRead = useRooms((s) => (room.peer ? (s.reads[room.id]?.[room.peer.id] ?? 0) : 0));
  const readKey = room.type === "direct" ? readRow(rows, heardRead) : null;
  return (
    <div className={style.frame}>
      {rows.length === 0 && !held.older && (
        <p className={style.empty}>{t(room.closed ? "rooms.quiet" : "chat.empty")}</p>
      )}
      <RowList
        key={held.epoch}
        room={room}
        held={held}
        rows={rows}
        startAtFresh={held.epoch === opened.epoch}
        draw={(row, place) => (
          <MessageRow
            t={t}
            row={row}
            group={room.type === "group"}
            read={row.key === readKey}
            place={place}
            openMenu={setMenu}
            menuOpen={menu?.row.key === row.key}
          />
        )}
      />
      <MessageMenu room={room} target={menu} onClose={() => setMenu(null)} />
    </div>
  );
}

/**
 * The seq of the message under the line "new messages": the first that was unread when the room was opened, or the
 * first that came while nobody looked. The line goes when something is sent.
 */
function useFreshSeq(room: Room, atOpening: number | null): number | null {
  const [freshSeq, setFreshSeq] = useState(atOpening);
  useEffect(() => {
    let looked = looks();
    return onLooks(() => {
      const before = looked;
      looked = looks();
      if (before === looked) {
        return;
      }
      const next = (useRooms.getState().book.heads[room.id]?.last_seq ?? 0) + 1;
      if (before) {
        setFreshSeq(next); // nobody looks from here on
      } else {
        setFreshSeq((fresh) => (fresh === next ? null : fresh)); // nothing came
      }
    });
  }, [room.id]);
  useEffect(
    () =>
      useMessages.subscribe(({ outgoing }, before) => {
        const list = outgoing[room.id];
        if (list !== before.outgoing[room.id] && list?.at(-1)?.status === "sending") {
          setFreshSeq(null);
        }
      }),
    [room.id],
  );
  return freshSeq;
}

import { useMemo, useState } from "react";
import { useTranslation } from "../i18n";
import type { Room } from "@parley-im/sdk";
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
  // The line above what is new, and the place where reading begins, are those of the moment of opening.
  const [opened] = useState(() => ({
    freshSeq: room.unread > 0 ? Math.max(room.read_seq + 1, room.first_seq) : null,
    epoch: held.epoch,
  }));
  const rows = useMemo(
    () => rowsOf(held, held.tail ? outgoing : none, myId, opened.freshSeq),
    [held, outgoing, myId, opened],
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

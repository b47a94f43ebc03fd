import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "../i18n";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { Room } from "@parley-im/sdk";
import { loadMoreRooms, useRooms } from "../store/rooms";
import { RoomLink } from "./RoomLink";
import style from "./RoomList.module.css";

/** As near to the end as this, in rows, reads the next page. */
const ahead = 15;

/** The links to chats: those in view, of any number. Arrow keys go from one to the next; Tab passes through one of them only. */
export function RoomLinks({
  rooms,
  openId,
  sought,
}: {
  rooms: readonly Room[];
  openId: string | null;
  sought: boolean;
}) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const entry = Math.max(0, indexOf(rooms, focused) ?? indexOf(rooms, openId) ?? 0);
  const cursor = useRooms((s) => s.cursor);
  const loading = useRooms((s) => s.loading);
  const more = cursor !== "" && cursor !== null && !loading;

  const look = () => {
    const view = list.current;
    if (more && view && view.findItemIndex(view.scrollOffset + view.viewportSize) >= rooms.length - ahead) {
      void loadMoreRooms();
    }
  };
  // What is sought may stand on a page that was not read yet.
  useEffect(() => {
    if (more && sought && rooms.length < ahead) {
      void loadMoreRooms();
    }
  }, [more, sought, rooms.length]);
  useReturn(openId, scroller);

  const go = (to: number) => {
    const room = rooms[to];
    if (room) {
      setFocused(room.id);
      list.current?.scrollToIndex(to, { align: "nearest" });
      requestAnimationFrame(() => linkOf(scroller.current, room.id)?.focus({ preventScroll: true }));
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowDown: entry + 1, ArrowUp: entry - 1, Home: 0, End: rooms.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      go(Math.min(Math.max(to, 0), rooms.length - 1));
    }
  };
  if (rooms.length === 0) {
    return sought && !loading ? <p className={style.none}>{t("rooms.no_match")}</p> : <Waiting />;
  }
  return (
    // The keys are those of the links inside, which have the focus.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div ref={scroller} className={style.scroller} onKeyDown={onKeyDown}>
      <Virtualizer
        ref={list}
        as={List}
        item="li"
        scrollRef={scroller}
        data={rooms}
        itemSize={72}
        keepMounted={[entry]}
        onScroll={look}
        onResize={look}
      >
        {(room, i) => (
          <RoomLink
            key={room.id}
            room={room}
            open={room.id === openId}
            entry={i === entry}
            onFocus={() => setFocused(room.id)}
          />
        )}
      </Virtualizer>
    </div>
  );
}

function List(props: React.ComponentProps<"ul">) {
  const { t } = useTranslation();
  return <ul {...props} aria-label={t("rooms.list")} />;
}

function Waiting() {
  return (
    <div className={style.waiting} aria-busy="true">
      {[0, 1, 2, 3].map((i) => (
        <span key={i} className={style.ghost} />
      ))}
    </div>
  );
}

function indexOf(rooms: readonly Room[], id: string | null): number | undefined {
  const i = id === null ? -1 : rooms.findIndex((room) => room.id === id);
  return i < 0 ? undefined : i;
}

function linkOf(scroller: HTMLElement | null, id: string): HTMLElement | null | undefined {
  return scroller?.querySelector<HTMLElement>(`[data-room="${CSS.escape(id)}"]`);
}

// Back from a chat, on a narrow screen, the focus is where it was: on the chat's link.
function useReturn(openId: string | null, scroller: React.RefObject<HTMLDivElement | null>): void {
  const before = useRef(openId);
  useEffect(() => {
    const was = before.current;
    before.current = openId;
    if (was !== null && openId === null && (document.activeElement === document.body || !document.activeElement)) {
      linkOf(scroller.current, was)?.focus();
    }
  }, [openId, scroller]);
}

import { Info, MessageCircleOff } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href, navigate } from "../shell/route";
import { useGone } from "../rooms/gone";
import { roomName } from "../rooms/name";
import { openRoom } from "../store/messages";
import { readRoom, useRooms } from "../store/rooms";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import style from "./ChatScreen.module.css";
import { ClosedNotice, Composer } from "./Composer";
import { MessageLog } from "./MessageLog";
import type { Room } from "@parley-im/sdk";

/** One chat. Its room may not be known yet, or not be the user's (any more). */
export function ChatScreen({ roomId }: { roomId: string }) {
  const room = useRooms((s) => s.book.rooms[roomId]);
  const gone = useGone(roomId);
  const missing = useMissing(roomId, room !== undefined);
  useEffect(() => {
    openRoom(roomId);
    return () => openRoom(null);
  }, [roomId]);
  if (room) {
    return <Chat room={room} />;
  }
  return (
    <>
      <PaneHeader title="" back={href("rooms")} />
      <div className={style.missing} aria-busy={!missing}>
        {missing && <Missing title={gone} />}
      </div>
    </>
  );
}

// A group may go while one writes in it: the keyboard stays where there is something to do.
function Missing({ title }: { title: string }) {
  const { t } = useTranslation();
  const way = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Nothing has it, or a title that took it for want of something better.
    if (document.activeElement?.matches("body, h1")) {
      way.current?.querySelector("button")?.focus();
    }
  }, []);
  return (
    <div ref={way} role="alert">
      <EmptyState
        icon={<MessageCircleOff size={28} />}
        title={title}
        action={<Button onPress={() => navigate(["rooms"], { replace: true })}>{t("chat.to_chats")}</Button>}
      />
    </div>
  );
}

// Asks for a room that no page brought, and tells when there is none.
function useMissing(roomId: string, known: boolean): boolean {
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    if (known) {
      return;
    }
    let here = true;
    const tell = () => here && setMissing(true);
    void readRoom(roomId).then(() => {
      if (!useRooms.getState().book.rooms[roomId]) {
        tell();
      }
    }, tell);
    return () => {
      here = false;
    };
  }, [roomId, known]);
  return missing && !known;
}

function Chat({ room }: { room: Room }) {
  const { t } = useTranslation();
  const name = roomName(room, t);
  const group = room.type === "group";
  return (
    <>
      <div className={style.head}>
        <PaneHeader
          title={<bdi>{name}</bdi>}
          subtitle={group ? t("chat.members", { count: room.member_count }) : room.peer && `@${room.peer.account}`}
          leading={<Avatar id={room.peer?.id ?? room.id} name={name} size={40} shape={group ? "group" : "person"} />}
          back={href("rooms")}
          actions={
            <a
              className={style.info}
              href={href("rooms", room.id, "info")}
              aria-label={t(group ? "chat.info" : "chat.info_direct")}
            >
              <Info aria-hidden size={20} />
            </a>
          }
        />
      </div>
      <MessageLog room={room} />
      {room.closed ? <ClosedNotice name={name} /> : <Composer roomId={room.id} />}
    </>
  );
}

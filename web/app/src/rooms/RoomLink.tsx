import { memo, useEffect } from "react";
import { useTranslation } from "../i18n";
import type { Room } from "@parley-im/sdk";
import { href } from "../shell/route";
import { brief } from "../shell/time";
import { useToday } from "../shell/today";
import { useDrafts } from "../store/drafts";
import { useMessages } from "../store/messages";
import { usePeople, wantPerson } from "../store/people";
import { activity } from "../store/roombook";
import { useMyId } from "../store/session";
import { Avatar } from "../ui/Avatar";
import { personName, roomName } from "./name";
import style from "./RoomLink.module.css";

interface RoomLinkProps {
  room: Room;
  open: boolean;
  /** Tab reaches the list through this one. */
  entry: boolean;
  onFocus: () => void;
}

/** One chat of the list: who, what was said last and when, how much is unread. */
export const RoomLink = memo(RoomLinkView, (a, b) => a.room === b.room && a.open === b.open && a.entry === b.entry);

function RoomLinkView({ room, open, entry, onFocus }: RoomLinkProps) {
  const { t } = useTranslation();
  const name = roomName(room, t);
  const preview = usePreview(room, open);
  useToday();
  return (
    <a
      className={style.link}
      href={href("rooms", room.id)}
      data-room={room.id}
      data-unread={room.unread > 0}
      aria-current={open ? "page" : undefined}
      tabIndex={entry ? 0 : -1}
      onFocus={onFocus}
    >
      <Avatar id={room.peer?.id ?? room.id} name={name} size={44} shape={room.type === "group" ? "group" : "person"} />
      <span className={style.text}>
        <span className={style.top}>
          <bdi className={style.name}>{name}</bdi>
          <time className={style.time} dateTime={activity(room)}>
            {brief(activity(room))}
          </time>
        </span>
        <span className={style.top}>
          <span className={style.preview} dir="auto">
            {preview}
          </span>
          {room.unread > 0 && (
            <span className={style.badge}>
              <span aria-hidden>{room.unread > 99 ? "99+" : room.unread}</span>
              <span className="hidden-text">{t("rooms.unread", { count: room.unread })}</span>
            </span>
          )}
        </span>
      </span>
    </a>
  );
}

// What was said last, by whom; or what was begun and not sent.
function usePreview(room: Room, open: boolean): string {
  const { t } = useTranslation();
  const myId = useMyId();
  const draft = useDrafts((s) => s[room.id]);
  const waiting = useMessages((s) => s.outgoing[room.id]?.findLast((o) => o.status !== "sent")?.text);
  const last = room.last_message;
  const sender = room.type === "group" && last && last.sender_id !== myId ? last.sender_id : "";
  const profile = usePeople((s) => s.profiles[sender]);
  useEffect(() => wantPerson(sender), [sender]);
  if (draft && !open) {
    return t("rooms.draft", { text: draft });
  }
  if (waiting !== undefined) {
    return t("rooms.by_me", { text: waiting });
  }
  if (!last) {
    return t("rooms.quiet");
  }
  if (last.type === "removed") {
    return t("rooms.removed");
  }
  const text = last.content.text ?? "";
  if (last.sender_id === myId) {
    return t("rooms.by_me", { text });
  }
  return profile ? t("rooms.by_other", { name: personName(profile, t), text }) : text;
}

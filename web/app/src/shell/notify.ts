import { useEffect } from "react";
import { useTranslation } from "../i18n";
import type { Message } from "@parley-im/sdk";
import { personName, roomName } from "../rooms/name";
import { onMessage } from "../store/live";
import { usePeople } from "../store/people";
import { useRooms } from "../store/rooms";
import { useMyId } from "../store/session";
import { useSettings } from "../store/settings";
import { looks, onLooks } from "./looks";
import { navigate } from "./route";

/** Held by the window of the app at which the person looks: meanwhile no window notifies. */
const seenLock = "parley.seen";

/** Shows a desktop notification of what comes while nobody looks, if that is wished for and allowed. */
export function useNotifications(): void {
  const { t } = useTranslation();
  const myId = useMyId();
  const wished = useSettings((s) => s.notifications);
  useEffect(() => holdWhileLooking(), []);
  useEffect(() => {
    if (!wished || !("Notification" in window)) {
      return;
    }
    const told = (message: Message) => {
      const old = Date.now() - Date.parse(message.sent_at) > 5 * 60_000; // repaired after an absence
      if (message.sender_id === myId || message.type !== "text" || old || Notification.permission !== "granted") {
        return;
      }
      void anyoneLooks().then((looked) => looked || notify(message, titleOf(message)));
    };
    const titleOf = (message: Message) => {
      const name = personName(usePeople.getState().profiles[message.sender_id], t);
      const room = useRooms.getState().book.rooms[message.room_id];
      return room?.type === "group" ? t("notify.group", { name, room: roomName(room, t) }) : name;
    };
    return onMessage(told);
  }, [t, myId, wished]);
}

function notify(message: Message, title: string): void {
  // One tag a room: a newer one replaces the last, and so does that of another window.
  const notification = new Notification(title, {
    body: (message.content.text ?? "").slice(0, 200),
    tag: message.room_id,
    icon: "/favicon.svg",
  });
  notification.onclick = () => {
    window.focus();
    navigate(["rooms", message.room_id]);
    notification.close();
  };
}

async function anyoneLooks(): Promise<boolean> {
  if (looks()) {
    return true;
  }
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some((lock) => lock.name === seenLock);
}

// Takes a share of the lock while the person looks at this window. It goes with the window, however that ends.
function holdWhileLooking(): () => void {
  let release = () => {};
  const follow = () => {
    release();
    release = () => {};
    if (looks() && navigator.locks) {
      const until = new Promise<void>((done) => (release = done));
      void navigator.locks.request(seenLock, { mode: "shared" }, () => until);
    }
  };
  follow();
  const stop = onLooks(follow);
  return () => {
    stop();
    release();
  };
}

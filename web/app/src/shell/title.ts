import { useEffect } from "react";
import { totalUnread } from "../store/roombook";
import { useRooms } from "../store/rooms";

/** "(3) Parley" while three messages are unread. */
export function titleOf(unread: number): string {
  return unread > 0 ? `(${unread > 999 ? "999+" : unread}) Parley` : "Parley";
}

/** Keeps the window's title while signed in. */
export function useTitle(): void {
  const unread = useRooms((s) => totalUnread(s.book));
  useEffect(() => {
    document.title = titleOf(unread);
    return () => {
      document.title = titleOf(0);
    };
  }, [unread]);
}

import { useConnection } from "../store/connection";
import { withRead } from "../store/roombook";
import { changeBook, useRooms } from "../store/rooms";

/** Notes that a message was in view: only while the window is, and only forward. */
export function markRead(roomId: string, seq: number): void {
  const head = useRooms.getState().book.heads[roomId];
  if (!head || seq <= head.read_seq || seq < head.first_seq || document.visibilityState !== "visible") {
    return;
  }
  useConnection.getState().connection?.setRead(roomId, seq);
  changeBook((book) => withRead(book, roomId, seq));
}

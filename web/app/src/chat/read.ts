import { looks } from "../shell/looks";
import { useConnection } from "../store/connection";
import { withRead } from "../store/roombook";
import { changeBook, useRooms } from "../store/rooms";

/** Marks a message in view as read, if the person looks at the window. Read positions only move forward. */
export function markRead(roomId: string, seq: number): void {
  const head = useRooms.getState().book.heads[roomId];
  if (!head || seq <= head.read_seq || seq < head.first_seq || !looks()) {
    return;
  }
  useConnection.getState().connection?.setRead(roomId, seq);
  changeBook((book) => withRead(book, roomId, seq));
}

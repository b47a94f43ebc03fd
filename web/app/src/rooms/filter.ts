import type { Room } from "@parley-im/sdk";
import type { TFunction } from "../i18n";
import type { RoomBook } from "../store/roombook";
import { roomName } from "./name";

/** The rooms of the book in their order, only those whose name or peer's account has all of the words. */
export function matching(book: RoomBook, words: string, t: TFunction): Room[] {
  const rooms = book.order.flatMap((id) => book.rooms[id] ?? []);
  const parts = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) {
    return rooms;
  }
  return rooms.filter((room) => {
    const name = `${roomName(room, t)} ${room.peer?.account ?? ""}`.toLocaleLowerCase();
    return parts.every((part) => name.includes(part));
  });
}

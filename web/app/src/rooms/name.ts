import type { Room } from "@parley-im/sdk";
import type { TFunction } from "../i18n";

/** What a room is called: a group's name, the peer's nickname in a direct one. */
export function roomName(room: Room, t: TFunction): string {
  if (room.type === "group") {
    return room.name;
  }
  return personName(room.peer, t);
}

/** What a person is called: the nickname, the account of who has none, or that there is nobody any more. */
export function personName(person: { nickname: string; account: string } | undefined, t: TFunction): string {
  return person?.nickname || person?.account || t("person.gone");
}

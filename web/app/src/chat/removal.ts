import type { Room } from "@parley-im/sdk";
import type { Row } from "../store/timeline";

const ownWindow = 2 * 60_000;

/** Whether a message may be removed: one's own for two minutes, in groups any by owner and admins. The server has the last word. */
export function mayRemove(row: Row, room: Pick<Room, "type" | "role">, now: number): boolean {
  if (row.message?.type !== "text") {
    return false;
  }
  if (room.type === "group" && room.role !== "member") {
    return true;
  }
  return row.mine && now - Date.parse(row.at) < ownWindow;
}

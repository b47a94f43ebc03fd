import type { ReactNode } from "react";
import { ChatScreen } from "../chat/ChatScreen";
import { friendScreen } from "../friends/screens";
import { roomDetail } from "../groups/screens";
import { RoomList } from "../rooms/RoomList";
import { settingsScreen } from "../settings/screens";
import type { Path } from "./route";

export type Section = "rooms" | "friends" | "settings";

/** What a place shows: the list's pane, and beside it (on narrow screens instead of it) the detail, if there is one. */
export interface Screen {
  section: Section;
  list: ReactNode;
  detail: ReactNode | null;
}

export function screenOf(path: Path): Screen {
  switch (path[0]) {
    case "friends":
      return { section: "friends", ...friendScreen(path) };
    case "settings":
      return { section: "settings", ...settingsScreen(path) };
    default:
      return { section: "rooms", list: <RoomList openId={path[1] ?? null} />, detail: chatDetail(path) };
  }
}

// #/rooms/ID is the chat itself; groups take what is below it, and #/rooms/new.
function chatDetail(path: Path): ReactNode | null {
  const id = path[1];
  if (path[0] !== "rooms" || id === undefined) {
    return null;
  }
  return roomDetail(path) ?? <ChatScreen key={id} roomId={id} />;
}

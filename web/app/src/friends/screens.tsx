import type { ReactNode } from "react";
import type { Path } from "../shell/route";
import { FindFriend } from "./FindFriend";
import { FriendList } from "./FriendList";

/** The panes of #/friends and of #/friends/add. */
export function friendScreen(path: Path): { list: ReactNode; detail: ReactNode | null } {
  return { list: <FriendList />, detail: path[1] === "add" ? <FindFriend /> : null };
}

import type { ReactNode } from "react";
import type { Path } from "../shell/route";
import { AddMembers } from "./AddMembers";
import { NewGroup } from "./NewGroup";
import { RoomInfo } from "./RoomInfo";

/** What is about a group below #/rooms: #/rooms/new, #/rooms/ID/info, #/rooms/ID/add. Null where the chat itself is shown. */
export function roomDetail(path: Path): ReactNode | null {
  const [, id, what] = path;
  if (id === undefined) return null;
  if (id === "new") return <NewGroup />;
  switch (what) {
    case "info":
      return <RoomInfo key={id} roomId={id} />;
    case "add":
      return <AddMembers key={id} roomId={id} />;
    default:
      return null;
  }
}

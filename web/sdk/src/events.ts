import type { ParleyError } from "./error.js";
import type {
  FriendAdded,
  FriendRemoved,
  MemberJoined,
  MemberLeft,
  Message,
  MessageRemoved,
  Room,
  RoomDisbanded,
  RoomHead,
  RoomRead,
  RoomReads,
  RoomUpdated,
  SessionRevoked,
  UserDisabled,
} from "./types.js";

/**
 * "connecting" until the first success, "reconnecting" after a loss, "offline"
 * while the browser says that there is no network, "closed" for good.
 */
export type ConnectionState = "connecting" | "connected" | "reconnecting" | "offline" | "closed";

/** A message of the user's own that is on its way. */
export interface Outgoing {
  client_id: string;
  room_id: string;
  text: string;
  /** RFC 3339, by this device's clock. */
  created_at: string;
  status: "sending" | "sent" | "failed";
  /** Why it failed for good. */
  error?: ParleyError;
  /** Where it stands in the room, once it is sent. */
  seq?: number;
}

/** What a connection tells. Messages are promised; all others are told at most once, as they come. */
export interface Events {
  state: ConnectionState;
  /** Each room's, in order, once, without holes, from the room's cursor on. */
  message: Message;
  /** Whenever its status changes. */
  outgoing: Outgoing;
  "message.removed": MessageRemoved;
  "room.read": RoomRead;
  /** Several members at once. */
  "room.reads": RoomReads;
  "room.created": Room;
  "room.updated": RoomUpdated;
  "room.disbanded": RoomDisbanded;
  "member.joined": MemberJoined;
  "member.left": MemberLeft;
  /** A member was disabled or erased, or is back: read again what is shown of them. */
  "user.disabled": UserDisabled;
  "friend.added": FriendAdded;
  "friend.removed": FriendRemoved;
  "session.revoked": SessionRevoked;
  /** Where the rooms stand, after each connect. */
  ready: { rooms: RoomHead[] };
  /** Something may have been missed that is no message: read rooms and friends again. After each connect, too. */
  resync: void;
}

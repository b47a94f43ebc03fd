// The wire's types under friendly names: snake_case, as they travel.
import type * as push from "./wire/asyncapi.js";
import type { components, operations } from "./wire/openapi.js";

type Schemas = components["schemas"];

/** Yourself; nobody else is told your e-mail address. */
export type User = Schemas["User"];
/** Another user. */
export type Profile = Schemas["UserProfile"];
export type Friend = Schemas["Friend"];
/** The answer to a new friendship, with the direct room. */
export type NewFriend = Schemas["NewFriend"];
export type Room = Schemas["Room"];
export type RoomMember = Schemas["Member"];
export type Role = Schemas["Role"];
export type AddedMembers = Schemas["AddedMembers"];
/** One entry of a room's log; removed ones stay as tombstones, with the type "removed" and no content. */
export type Message = Schemas["Message"];
/** A page of a room's log: oldest first when it was asked for by after_seq, else newest first. */
export type MessagePage = Schemas["HistoryPage"];
/** One of the user's devices. */
export type SessionInfo = Schemas["Session"];
/** What a login, a registration or a refresh grants. */
export type Tokens = Schemas["Grant"];
/** An error of the HTTP API (RFC 9457). */
export type Problem = Schemas["Problem"];
export type ErrorCode = Problem["code"];

/** Where a room begins, for this user, and ends. */
export type RoomHead = push.ReadyData["rooms"][number];
export type Ready = push.ReadyData;
export type MessageRemoved = push.MessageRemovedData;
export type RoomRead = push.RoomReadData;
export type RoomReads = push.RoomReadsData;
export type RoomUpdated = push.RoomUpdatedData;
export type RoomDisbanded = push.RoomDisbandedData;
export type UserDisabled = push.UserDisabledData;
export type MemberJoined = push.MemberJoinedData;
export type MemberLeft = push.MemberLeftData;
export type FriendAdded = push.FriendAddedData;
export type FriendRemoved = push.FriendRemovedData;
export type SessionRevoked = push.SessionRevokedData;

/** A page of a list; next_cursor is empty on the last one. */
export interface Page<T> {
  items: T[];
  next_cursor: string;
}

/** Which page of a list. */
export interface PageRequest {
  /** 1 to 200; 50 when it is left out. */
  limit?: number;
  /** next_cursor of the page before. */
  cursor?: string;
}

/** A range of a room's log; both ends are exclusive. */
export interface Range {
  before_seq?: number;
  after_seq?: number;
  /** 1 to 200; 50 when it is left out. */
  limit?: number;
}

/** The JSON body of an operation of openapi.yaml. */
export type Body<Op extends keyof operations> = operations[Op] extends {
  requestBody: { content: { "application/json": infer B } };
}
  ? B
  : never;

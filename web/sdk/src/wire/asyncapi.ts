// Generated from docs/asyncapi.yaml by npm run generate.

import type { components } from "./openapi.js";

export type ID = string;

export type Seq = number;

export type Time = string;

export type FrameID = string;

export interface Auth {
  id?: FrameID;
  op: "auth";
  data: {
    token: string;
  };
}

export interface MessageSend {
  id?: FrameID;
  op: "message.send";
  data: {
    room_id: ID;
    client_id: ID;
    type: "text";
    content: {
      text: string;
    };
  };
}

export interface MessagesGet {
  id?: FrameID;
  op: "messages.get";
  data: {
    room_id: ID;
    after_seq?: Seq;
    before_seq?: Seq;
    limit?: number;
  };
}

export interface MessageRemove {
  id?: FrameID;
  op: "message.remove";
  data: SeqData;
}

export interface ReadSet {
  id?: FrameID;
  op: "read.set";
  data: SeqData;
}

export interface Ping {
  id?: FrameID;
  op: "ping";
}

export interface SeqData {
  room_id: ID;
  seq: Seq;
}

export interface OK {
  id: FrameID;
  op: "ok";
  data: ReadyData | SendReply | HistoryReply | Record<string, never>;
}

export interface Error {
  id: FrameID;
  op: "error";
  error: {
    code: "invalid_argument" | "unauthenticated" | "permission_denied" | "not_found" | "already_exists" | "failed_precondition" | "payload_too_large" | "resource_exhausted" | "internal" | "unavailable" | "deadline_exceeded";
    detail: string;
    errors?: Array<{
      field: string;
      detail: string;
    }>;
    retry_after_ms?: number;
  };
}

export interface SendReply {
  room_id: ID;
  seq: Seq;
  id: ID;
  sent_at: Time;
  duplicate: boolean;
}

export interface HistoryReply {
  items: Array<Message>;
  last_seq: Seq;
  has_more: boolean;
}

export interface Message {
  id: ID;
  room_id: ID;
  seq: Seq;
  client_id: ID;
  sender_id: ID;
  type: "text" | "removed";
  content: {
    text?: string;
  };
  sent_at: Time;
  removed_at?: Time;
  removed_by?: ID;
}

export interface MessageRemovedData {
  room_id: ID;
  seq: Seq;
  removed_by: ID;
  removed_at: Time;
}

export interface RoomHeadData {
  room_id: ID;
  last_seq: Seq;
}

export interface RoomReadData {
  room_id: ID;
  user_id: ID;
  seq: Seq;
}

export interface RoomReadsData {
  room_id: ID;
  reads: Array<{
    user_id: ID;
    seq: Seq;
  }>;
}

export interface RoomCreatedData {
  room: components["schemas"]["Room"];
  rev: number;
}

export interface RoomUpdatedData {
  room_id: ID;
  name: string;
  closed: boolean;
  member?: Member;
  rev: number;
}

export interface RoomDisbandedData {
  room_id: ID;
  rev: number;
}

export interface Member {
  user_id: ID;
  role: "owner" | "admin" | "member";
  joined_at: Time;
}

export interface MemberJoinedData {
  room_id: ID;
  members: Array<Member>;
  by: ID;
  member_count: number;
  rev: number;
}

export interface MemberLeftData {
  room_id: ID;
  user_id: ID;
  by: ID;
  new_owner_id?: ID;
  member_count: number;
  rev: number;
}

export interface Profile {
  id: ID;
  account: string;
  nickname: string;
  sex: 0 | 1 | 2;
  avatar_url: string;
}

export interface UserDisabledData {
  room_id: ID;
  user_id: ID;
  disabled: boolean;
}

export interface FriendAddedData {
  user: Profile;
  room_id: ID;
  since: Time;
  rev: number;
}

export interface FriendRemovedData {
  user_id: ID;
  room_id: ID;
  rev: number;
}

export interface SessionRevokedData {
  session_id: ID;
  reason: "logout" | "revoked" | "password" | "reset" | "reuse" | "disabled";
  until: Time;
}

export interface ReadyData {
  user_id: ID;
  session_id: ID;
  connection_id: ID;
  heartbeat_ms: number;
  limits: {
    frame_bytes: number;
    text_length: number;
    page_size: number;
    sends_per_second: number;
    send_burst: number;
  };
  rooms: Array<{
    id: ID;
    first_seq: Seq;
    last_seq: Seq;
    read_seq: Seq;
  }>;
}

export interface DrainingData {
  reconnect_after_ms: number;
}

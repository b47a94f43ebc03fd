import type { Emitter } from "./emitter.js";
import type { Events } from "./events.js";
import type { Stream } from "./stream.js";
import type {
  FriendAdded,
  MemberLeft,
  Message,
  MessageRemoved,
  Room,
  RoomDisbanded,
  RoomHead,
  SessionRevoked,
} from "./types.js";
import type { RoomHeadData } from "./wire/asyncapi.js";

/** Whom pushes concern. */
export interface Hearers {
  userId: string;
  stream: Stream;
  events: Emitter<Events>;
  /** Told of any message that the log has. */
  saw: (m: Message) => void;
  revoked: (d: SessionRevoked) => void;
}

/** The pushes that are passed on, and that mean nothing else to the SDK. */
const news = new Set<string>([
  "room.read",
  "room.reads",
  "room.updated",
  "member.joined",
  "friend.removed",
  "user.disabled",
] satisfies (keyof Events)[]);

/** take takes in what a gateway tells. What is not known, of a newer gateway perhaps, is left out. */
export function take(op: string, data: unknown, to: Hearers): void {
  if (news.has(op)) return to.events.emit(op as keyof Events, data as never);
  takes[op]?.(data as never, to);
}

const takes: Record<string, (data: never, to: Hearers) => void> = {
  message(m: Message, { saw, stream }) {
    saw(m);
    stream.pushed(m);
  },
  "message.removed"(d: MessageRemoved, { stream, events }) {
    stream.removed(d);
    events.emit("message.removed", d);
  },
  "room.head"(d: RoomHeadData, { stream }) {
    stream.announced(d.room_id, d.last_seq);
  },
  "room.created"({ room }: { room: Room }, { stream, events }) {
    stream.stands(room satisfies Omit<RoomHead, "read_seq">);
    events.emit("room.created", room);
  },
  "room.disbanded"(d: RoomDisbanded, { stream, events }) {
    stream.leave(d.room_id);
    events.emit("room.disbanded", d);
  },
  "member.left"(d: MemberLeft, { stream, events, userId }) {
    if (d.user_id === userId) stream.leave(d.room_id);
    events.emit("member.left", d);
  },
  "friend.added"(d: FriendAdded, { stream, events }) {
    stream.back(d.room_id);
    events.emit("friend.added", d);
  },
  "session.revoked"(d: SessionRevoked, { events, revoked }) {
    events.emit("session.revoked", d);
    revoked(d);
  },
};

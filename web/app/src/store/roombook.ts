import type { Message, Room, RoomHead } from "@parley-im/sdk";

/*
 * The rooms that are known, in the order of their latest activity, and where
 * all of the user's rooms stand. Every function gives a new book, or the same
 * one when nothing changed; each may be applied twice or late.
 */
export interface RoomBook {
  readonly rooms: Readonly<Record<string, Room>>;
  /** Ids of rooms, latest activity first. */
  readonly order: readonly string[];
  /** Of every room of the user, also of those that no page brought yet. */
  readonly heads: Readonly<Record<string, RoomHead>>;
}

export const emptyBook: RoomBook = { rooms: {}, order: [], heads: {} };

export function activity(room: Room): string {
  return room.last_message?.sent_at ?? room.created_at;
}

export function unreadOf(head: Pick<RoomHead, "first_seq" | "last_seq" | "read_seq">): number {
  return Math.max(0, head.last_seq - Math.max(head.read_seq, head.first_seq - 1));
}

/** Unread messages of all rooms, for the badge. */
export function totalUnread(book: RoomBook): number {
  return Object.values(book.heads).reduce((sum, head) => sum + unreadOf(head), 0);
}

/** Takes rooms as the server told them. What was heard meanwhile and is newer stays. */
export function withRooms(book: RoomBook, rooms: readonly Room[]): RoomBook {
  if (rooms.length === 0) {
    return book;
  }
  const known = { ...book.rooms };
  const heads = { ...book.heads };
  for (const told of rooms) {
    const room = newer(told, known[told.id], heads[told.id]);
    known[room.id] = room;
    heads[room.id] = headOf(room);
  }
  return { rooms: known, heads, order: ordered(known) };
}

function newer(told: Room, known: Room | undefined, head: RoomHead | undefined): Room {
  const room = { ...told };
  room.read_seq = Math.max(told.read_seq, known?.read_seq ?? 0, head?.read_seq ?? 0);
  room.last_seq = Math.max(told.last_seq, known?.last_seq ?? 0, head?.last_seq ?? 0);
  if (known?.last_message && known.last_message.seq > (told.last_message?.seq ?? 0)) {
    room.last_message = known.last_message;
  }
  room.unread = unreadOf(room);
  return room;
}

function headOf({ id, first_seq, last_seq, read_seq }: Room): RoomHead {
  return { id, first_seq, last_seq, read_seq };
}

function ordered(rooms: Readonly<Record<string, Room>>): string[] {
  return Object.values(rooms)
    .map((room) => ({ id: room.id, at: activity(room) }))
    .sort((a, b) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at < b.at ? 1 : -1))
    .map(({ id }) => id);
}

/** Takes the heads of all rooms, as each connection begins with them. Rooms that are not among them are no longer the user's. */
export function withHeads(book: RoomBook, told: readonly RoomHead[]): RoomBook {
  const heads: Record<string, RoomHead> = {};
  const rooms: Record<string, Room> = {};
  for (const head of told) {
    const before = book.heads[head.id];
    heads[head.id] = {
      ...head,
      last_seq: Math.max(head.last_seq, before?.last_seq ?? 0),
      read_seq: Math.max(head.read_seq, before?.read_seq ?? 0),
    };
    const room = book.rooms[head.id];
    if (room) {
      const stands = heads[head.id]!;
      rooms[head.id] = { ...room, ...stands, unread: unreadOf(stands) };
    }
  }
  return { heads, rooms, order: book.order.filter((id) => rooms[id]) };
}

/** Takes a message. The user's own moves the read position as well. */
export function withMessage(book: RoomBook, message: Message, myId: string): RoomBook {
  const head = book.heads[message.room_id];
  const room = book.rooms[message.room_id];
  if (!head || (message.seq <= head.last_seq && message.seq <= (room?.last_message?.seq ?? 0))) {
    return book;
  }
  const stands: RoomHead = {
    ...head,
    last_seq: Math.max(head.last_seq, message.seq),
    read_seq: message.sender_id === myId ? Math.max(head.read_seq, message.seq) : head.read_seq,
  };
  const heads = { ...book.heads, [head.id]: stands };
  if (!room) {
    return { ...book, heads };
  }
  const latest = message.seq > (room.last_message?.seq ?? 0) ? message : room.last_message;
  const rooms = { ...book.rooms, [room.id]: { ...room, ...stands, unread: unreadOf(stands), last_message: latest } };
  return { heads, rooms, order: raised(book.order, rooms, room.id) };
}

// Moves one room to where its activity puts it: almost always to the top.
function raised(order: readonly string[], rooms: Readonly<Record<string, Room>>, id: string): readonly string[] {
  const at = activity(rooms[id]!);
  if (order[0] === id) {
    return order;
  }
  const others = order.filter((other) => other !== id);
  const place = others.findIndex((other) => activity(rooms[other]!) <= at);
  others.splice(place < 0 ? others.length : place, 0, id);
  return others;
}

/** Takes a removal: the last message of the room may be told by the list. */
export function withRemoved(book: RoomBook, removed: Removal): RoomBook {
  const room = book.rooms[removed.room_id];
  if (!room?.last_message || room.last_message.seq !== removed.seq) {
    return book;
  }
  const last_message = tombstone(room.last_message, removed);
  return { ...book, rooms: { ...book.rooms, [room.id]: { ...room, last_message } } };
}

/** Moves the user's own read position. */
export function withRead(book: RoomBook, roomId: string, seq: number): RoomBook {
  const head = book.heads[roomId];
  if (!head || seq <= head.read_seq) {
    return book;
  }
  const stands = { ...head, read_seq: seq };
  const heads = { ...book.heads, [roomId]: stands };
  const room = book.rooms[roomId];
  if (!room) {
    return { ...book, heads };
  }
  return { ...book, heads, rooms: { ...book.rooms, [roomId]: { ...room, ...stands, unread: unreadOf(stands) } } };
}

/** Changes what is told about a room: name, closed, role, members. */
export function withPatch(book: RoomBook, roomId: string, patch: Partial<Room>): RoomBook {
  const room = book.rooms[roomId];
  return room ? { ...book, rooms: { ...book.rooms, [roomId]: { ...room, ...patch } } } : book;
}

export function withoutRoom(book: RoomBook, roomId: string): RoomBook {
  if (!book.rooms[roomId] && !book.heads[roomId]) {
    return book;
  }
  const { [roomId]: _room, ...rooms } = book.rooms;
  const { [roomId]: _head, ...heads } = book.heads;
  return { rooms, heads, order: book.order.filter((id) => id !== roomId) };
}

export interface Removal {
  room_id: string;
  seq: number;
  removed_by: string;
  removed_at: string;
}

/** What stays of a message that was removed. */
export function tombstone(message: Message, { removed_by, removed_at }: Removal): Message {
  return { ...message, type: "removed", content: {}, removed_by, removed_at };
}

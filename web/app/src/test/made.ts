import type { Message, MessagePage, Outgoing, Room, RoomHead } from "@parley-im/sdk";

// Things as the wire brings them, for tests: each says only what it is about.

export const me = "me";

/** A message of someone else, a minute after the one before. */
export function message(seq: number, over: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`,
    room_id: "r",
    seq,
    client_id: `c${seq}`,
    sender_id: "bob",
    type: "text",
    content: { text: `text ${seq}` },
    sent_at: minute(seq),
    ...over,
  };
}

/** Messages whose seqs go from one to another, both included. */
export function messages(from: number, to: number, over: Partial<Message> = {}): Message[] {
  return Array.from({ length: to - from + 1 }, (_, i) => message(from + i, over));
}

export function minute(n: number): string {
  return new Date(Date.UTC(2026, 0, 15, 10, n)).toISOString();
}

/** A page newest first, as it is answered to before_seq. */
export function page(items: Message[], has_more = true): MessagePage {
  return { items: items.toReversed(), last_seq: items.at(-1)?.seq ?? 0, has_more };
}

export function outgoing(client_id: string, over: Partial<Outgoing> = {}): Outgoing {
  return { client_id, room_id: "r", text: client_id, created_at: minute(50), status: "sending", ...over };
}

export function room(id: string, over: Partial<Room> = {}): Room {
  return {
    id,
    type: "group",
    name: id,
    role: "member",
    closed: false,
    member_count: 2,
    first_seq: 1,
    last_seq: 0,
    read_seq: 0,
    unread: 0,
    created_at: minute(0),
    ...over,
  };
}

export function head(id: string, last_seq: number, read_seq = 0, first_seq = 1): RoomHead {
  return { id, first_seq, last_seq, read_seq };
}

import type { Message, Room, User } from "../types.js";

/** A room's log, and what it is to the user. */
interface Log {
  first: number; // the first seq that the user may read
  messages: Message[];
  closed: boolean; // not the user's any more
}

/** World is what all gateways of a test have behind them: one user's rooms, and a session. */
export class World {
  readonly rooms = new Map<string, Log>();
  /** Access tokens in the order in which they were seen on sockets. */
  readonly auths: string[] = [];
  readonly user: User = {
    id: "me",
    account: "ann",
    email: "ann@example.org",
    nickname: "Ann",
    sex: 0,
    avatar_url: "",
    created_at: "2026-01-02T03:04:05.678Z",
  };
  /** How long access tokens live, in seconds. */
  lifetime = 900;
  refreshes = 0;
  ended = false;
  #given = 0;
  #valid = new Set<string>();
  #refresh = ""; // the newest
  #before = ""; // the one before, while the newest is unused

  room(id: string): Log {
    const log = this.rooms.get(id) ?? { first: 1, messages: [], closed: false };
    this.rooms.set(id, log);
    return log;
  }

  /** append stores a message, once under its client_id. */
  append(room: string, text: string, clientId?: string, sender = "someone"): Message {
    const { messages } = this.room(room);
    const seq = messages.length + 1;
    const known = messages.find((m) => m.client_id === clientId && m.sender_id === sender);
    if (known) return known;
    const m: Message = {
      id: `${room}-${seq}`,
      room_id: room,
      seq,
      client_id: clientId ?? `c${seq}`,
      sender_id: sender,
      type: "text",
      content: { text },
      sent_at: "2026-01-02T03:04:05.678Z",
    };
    messages.push(m);
    return m;
  }

  texts(room: string): (string | undefined)[] {
    return this.room(room).messages.map((m) => m.content.text);
  }

  heads() {
    return [...this.rooms]
      .filter(([, log]) => !log.closed)
      .map(([id, log]) => ({ id, first_seq: log.first, last_seq: log.messages.length, read_seq: 0 }));
  }

  /** describe is the room as room.created tells it. */
  describe(id: string): Room {
    const { first, messages } = this.room(id);
    return {
      id,
      type: "group",
      name: id,
      role: "member",
      closed: false,
      member_count: 2,
      first_seq: first,
      last_seq: messages.length,
      read_seq: 0,
      unread: 0,
      created_at: "2026-01-02T03:04:05.678Z",
    };
  }

  /** page is a range of a log; undefined: there is no such room. */
  page(d: { room_id: string; after_seq?: number; before_seq?: number; limit?: number }) {
    const log = this.rooms.get(d.room_id);
    if (!log || log.closed) return undefined;
    const { messages } = log;
    const limit = d.limit ?? 50;
    let range = messages.filter(
      (m) => m.seq >= log.first && m.seq > (d.after_seq ?? 0) && m.seq < (d.before_seq ?? Infinity),
    );
    const has_more = range.length > limit;
    range = d.after_seq === undefined ? range.slice(-limit).reverse() : range.slice(0, limit);
    return { items: range, last_seq: messages.length, has_more };
  }

  /** grant makes new tokens. */
  grant() {
    this.#given++;
    const payload = { sub: "me", sid: "session", n: this.#given };
    const access_token = `h.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.s`;
    this.#valid.add(access_token);
    this.#refresh = `refresh-${this.#given}`;
    return { user: this.user, access_token, refresh_token: this.#refresh, expires_in: this.lifetime };
  }

  /** refresh follows the rule: the token before may be used while its successor is not. Undefined: the session is over. */
  refresh(token: string) {
    this.refreshes++;
    if (this.ended || (token !== this.#refresh && token !== this.#before)) {
      this.ended = true;
      return undefined;
    }
    this.#before = token;
    return this.grant();
  }

  isValid(access: string): boolean {
    return !this.ended && this.#valid.has(access);
  }

  /** expire has all access tokens refused that were given out so far. */
  expire(): void {
    this.#valid.clear();
  }
}

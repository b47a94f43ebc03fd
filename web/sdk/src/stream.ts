import { Backoff } from "./backoff.js";
import { isCode, ParleyError } from "./error.js";
import { Room } from "./room.js";
import { Lost, type Socket } from "./socket.js";
import type { Message, MessagePage, MessageRemoved, RoomHead } from "./types.js";

/** mostEarly bounds the messages that are held back because they came early; more are fetched again. */
const mostEarly = 1000;
/** mostRemoved bounds the removals of a room that are remembered until their messages come. */
const mostRemoved = 1000;
/** fetchers is how many ranges are asked for at once; a gateway answers one after the other anyway. */
const fetchers = 4;
/** page is how many messages are asked for at once. */
const page = 200;
/** backlog bounds how many earlier messages of a room are handed on that is new while connected. */
const backlog = 100;
/** firstRefetch bounds the pause after a fetch that failed, in milliseconds; it doubles. */
const firstRefetch = 250;
const lastRefetch = 15_000;

/**
 * Stream makes, of what gateways push and what is fetched, each room's
 * messages: once, in order, without holes.
 */
export class Stream {
  readonly #rooms = new Map<string, Room>();
  #started = false; // a ready frame has come
  #stopped = false;
  #socket: Socket | undefined;
  #early = 0; // messages held back, in all rooms
  #due: Room[] = []; // what they miss is to be fetched
  #fetching = 0;

  constructor(
    private readonly stored: Readonly<Record<string, number>>,
    /** How long a gap is left open, in which the missing may still come by itself, in milliseconds. */
    private readonly hold: number,
    private readonly random: () => number,
    private readonly onMessage: (m: Message) => void,
    /** Told that all up to there is handed on. */
    private readonly onMoved: (roomId: string, cursor: number) => void,
    /** Told of a room that nobody has told of before. */
    private readonly onUnknown: () => void,
  ) {}

  /** connected takes in where the rooms stand. Those of the first time begin at their end, or where they were left. */
  connected(socket: Socket, heads: RoomHead[]): void {
    this.#socket = socket;
    const listed = new Set(heads.map((head) => head.id));
    for (const [id, room] of this.#rooms) if (!listed.has(id)) this.leave(id, room);
    for (const head of heads) this.stands(head, !this.#started);
    this.#started = true;
  }

  /** lost forgets what was asked for on a connection; the next one's heads tell what is missing. */
  lost(): void {
    this.#socket = undefined;
    this.#due = [];
    for (const room of this.#rooms.values()) room.rest();
  }

  /** stop ends it: nothing is handed on any more, and no cursor moves. */
  stop(): void {
    this.#stopped = true;
    this.lost();
  }

  /** stands notes where a room begins and ends. What is missing is fetched at once. */
  stands(head: Pick<RoomHead, "id" | "first_seq" | "last_seq">, fromEnd = false): void {
    const room = this.#rooms.get(head.id) ?? this.#open(head.id, head.last_seq, fromEnd ? 0 : backlog);
    room.gone = false;
    this.#early -= room.jump(head.first_seq - 1);
    room.heard(head.last_seq);
    room.retry.reset();
    this.#look(room, 0);
  }

  /** announced takes in a room's head. */
  announced(id: string, seq: number): void {
    const room = this.#at(id, seq);
    room.heard(seq);
    room.gone = false; // else the range tells so
    this.#look(room, this.hold);
  }

  /** pushed takes in a message that may have come before, or too early. */
  pushed(m: Message): void {
    const room = this.#at(m.room_id, m.seq);
    room.heard(m.seq);
    if (room.gone) {
      // The news of leaving, or of joining again, may be late: the range tells which.
      room.gone = room.known(m.seq);
    } else if (m.seq === room.cursor + 1) {
      this.#pass(room, m);
      this.#advance(room);
    } else if (!room.known(m.seq) && this.#early < mostEarly) {
      room.early.set(m.seq, m);
      this.#early++;
    }
    this.#look(room, this.hold);
  }

  /** removed has a message that is still to be handed on come as a tombstone, and shows that there is one. */
  removed(d: MessageRemoved): void {
    const room = this.#rooms.get(d.room_id);
    if (!room || room.gone || d.seq <= room.cursor || room.removed.size >= mostRemoved) return;
    room.removed.set(d.seq, d);
    room.heard(d.seq);
    this.#look(room, this.hold);
  }

  /** back lets a room that was left be followed again, should there be news of it. */
  back(id: string): void {
    const room = this.#rooms.get(id);
    if (room) room.gone = false;
  }

  /** leave stops fetching for a room. Its cursor stays: who joins again goes on from there. */
  leave(id: string, room = this.#rooms.get(id)): void {
    if (!room) return;
    this.#early -= room.early.size;
    room.early.clear();
    room.removed.clear();
    room.gone = true;
    room.rest();
  }

  #at(id: string, seq: number): Room {
    const known = this.#rooms.get(id);
    if (known) return known;
    this.onUnknown();
    return this.#open(id, seq, backlog);
  }

  #open(id: string, last: number, earlier: number): Room {
    const stored = this.stored[id];
    const retry = new Backoff(lastRefetch, this.random, firstRefetch);
    const room = new Room(id, stored ?? Math.max(0, last - earlier), retry);
    this.#rooms.set(id, room);
    if (stored === undefined) this.onMoved(id, room.cursor); // the next visit goes on from here
    return room;
  }

  /** #pass hands on the message that is next. Only then its cursor may be saved. */
  #pass(room: Room, m: Message) {
    if (this.#stopped) return; // by who was handed the one before
    if (room.early.delete(m.seq)) this.#early--; // it has come both ways
    room.cursor = m.seq;
    this.onMessage(room.seen(m));
    this.onMoved(room.id, m.seq);
  }

  /** #advance hands on what came early and is next now. */
  #advance(room: Room) {
    for (let m; !this.#stopped && (m = room.early.get(room.cursor + 1));) this.#pass(room, m);
  }

  /** #look has what a room misses fetched after the pause, unless it comes before by itself. */
  #look(room: Room, pause: number) {
    if (!room.behind || !this.#socket) return room.rest();
    if (room.fetching || (room.timer !== undefined && pause > 0)) return; // it is looked at again then
    room.rest();
    room.timer = setTimeout(() => {
      room.timer = undefined;
      this.#due.push(room);
      this.#fetchAll();
    }, pause);
  }

  #fetchAll() {
    while (this.#socket && this.#fetching < fetchers) {
      const room = this.#due.shift();
      if (!room) return;
      if (room.behind && !room.fetching) void this.#fetch(room, this.#socket);
    }
  }

  async #fetch(room: Room, socket: Socket) {
    const after = room.cursor;
    room.fetching = true;
    this.#fetching++;
    let pause = 0;
    try {
      const got = await socket.ask("messages.get", { room_id: room.id, after_seq: after, limit: page });
      pause = this.#fetched(room, after, got);
    } catch (error) {
      pause = this.#missed(room, error);
    } finally {
      room.fetching = false;
      this.#fetching--;
    }
    this.#look(room, pause);
    this.#fetchAll();
  }

  /**
   * #fetched takes in a page. It is the log itself: it has no holes, and where
   * it begins later than asked, the user may not read what was before. It
   * returns how long to wait before the next.
   */
  #fetched(room: Room, after: number, got: MessagePage): number {
    if (room.gone) return 0;
    room.heard(got.last_seq);
    const first = got.items[0];
    if (first && room.cursor === after) this.#early -= room.jump(first.seq - 1);
    for (const m of got.items) if (m.seq === room.cursor + 1) this.#pass(room, m);
    this.#advance(room);
    if (!first && room.behind) return room.retry.next(); // what was announced can't be read yet
    room.retry.reset();
    return 0;
  }

  /** #missed draws the conclusion from a fetch that failed. */
  #missed(room: Room, error: unknown): number {
    if (isCode(error, "not_found") || isCode(error, "permission_denied")) this.leave(room.id, room);
    if (error instanceof Lost) return 0; // the next connection's heads have it looked at
    return room.retry.next(error instanceof ParleyError ? error.retryAfterMs : 0);
  }
}

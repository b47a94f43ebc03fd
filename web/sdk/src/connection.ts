import { Calls } from "./calls.js";
import { Cursors } from "./cursors.js";
import { type CursorStore, defaultCursors } from "./cursorstore.js";
import { Emitter } from "./emitter.js";
import type { ConnectionState, Events, Outgoing } from "./events.js";
import { Line } from "./line.js";
import { Outbox } from "./outbox.js";
import { defaultOutbox, type OutboxStore } from "./outboxstore.js";
import { platformWebSocket } from "#platform";
import { watchPresence } from "./presence.js";
import { type Hearers, take } from "./push.js";
import { Reads } from "./reads.js";
import type { Session } from "./session.js";
import type { Socket, WebSocketClass } from "./socket.js";
import { Stream } from "./stream.js";
import { defaultTiming, type Timing } from "./timing.js";
import type { Tokens } from "./token.js";
import type { MessagePage, Range, Ready } from "./types.js";

export interface ConnectOptions {
  /** Keeps what is not sent yet. Left out: in IndexedDB, or in memory where there is none. */
  outbox?: OutboxStore;
  /** Keeps the place in each room. Left out: in IndexedDB, or in memory where there is none. */
  cursors?: CursorStore;
  /** Opens sockets. Left out: that of the Parley. */
  webSocket?: WebSocketClass;
  /** Gives numbers from 0 up to 1, of which pauses are made. Left out: Math.random. */
  random?: () => number;
  /** Those left out are as in defaultTiming. */
  timing?: Partial<Timing>;
}

/**
 * Connection is one user's place in Parley, on one socket at a time. It
 * connects again by itself, until it is closed or the session ends.
 */
export class Connection {
  readonly #events = new Emitter<Events>();
  readonly #line: Line;
  readonly #cursors: Cursors;
  readonly #outbox: Outbox;
  readonly #reads: Reads;
  readonly #calls: Calls;
  readonly #unwatch: (() => void)[] = [];
  #hearers: Hearers | undefined; // once the cursors are loaded

  /** @internal */
  constructor(session: Session, tokens: Tokens, urls: readonly string[], o: ConnectOptions) {
    const { userId, sessionId } = session;
    const timing = { ...defaultTiming, ...o.timing };
    const random = o.random ?? Math.random;
    const WebSocket = o.webSocket ?? platformWebSocket();
    if (!WebSocket) throw new TypeError("webSocket: this platform has none, pass one");
    this.#cursors = new Cursors(userId, o.cursors ?? defaultCursors(), timing.save);
    this.#reads = new Reads(random);
    this.#calls = new Calls(timing.call, timing.backoff, random);
    this.#outbox = new Outbox(
      userId,
      o.outbox ?? defaultOutbox(),
      random,
      (outgoing) => this.#events.emit("outgoing", outgoing),
      (roomId, seq) => this.#hearers?.stream.announced(roomId, seq),
    );
    this.#line = new Line(urls, tokens, WebSocket, timing, random, {
      connected: (socket, ready) => this.#connected(socket, ready),
      lost: () => this.#lost(),
      pushed: (op, data) => this.#hearers && take(op, data, this.#hearers),
      state: (state) => this.#told(state),
    });
    this.#unwatch.push(
      this.#watchPresence(),
      session.on("ended", (why) => {
        if (why === "logout") this.#outbox.clear(); // others may use this device now
        this.close();
      }),
    );
    void this.#run(timing.hold, random, {
      userId,
      events: this.#events,
      saw: (m) => this.#outbox.saw(m),
      revoked: (d) => d.session_id === sessionId && void tokens.end(d.reason === "logout" ? "logout" : "revoked"),
    });
  }

  get state(): ConnectionState {
    return this.#line.state;
  }

  /**
   * on adds a listener, and returns what removes it. Those added in the same
   * turn as connect was called miss nothing. A message counts as handed on when
   * all of its listeners have returned.
   */
  on<E extends keyof Events>(event: E, f: (data: Events[E]) => void): () => void {
    return this.#events.on(event, f);
  }

  /**
   * send has a text sent, and returns at once. The message stays in the outbox
   * until it is acknowledged; those of a room are sent in order, each once.
   */
  send(roomId: string, text: string): Outgoing {
    return this.#outbox.add(roomId, text);
  }

  /** outgoing lists what is not sent yet, or failed, oldest first. What was left of earlier visits comes as events, too. */
  outgoing(roomId?: string): Outgoing[] {
    return this.#outbox.list(roomId);
  }

  /** retry sends a failed one again, under the same client_id, behind what its room has to send by now. */
  retry(clientId: string): void {
    this.#outbox.retry(clientId);
  }

  /** discard forgets a failed one. */
  discard(clientId: string): void {
    this.#outbox.discard(clientId);
  }

  /**
   * history reads a page of a room's log, over the socket. It waits for a
   * connection; after half a minute without an answer it is "unavailable".
   */
  async history(roomId: string, range: Range = {}): Promise<MessagePage> {
    const page = await this.#calls.call("messages.get", { room_id: roomId, ...range });
    page.items.forEach((m) => this.#outbox.saw(m));
    return page;
  }

  /** setRead moves the user's read position forward; of several only the furthest is sent. It never fails loudly. */
  setRead(roomId: string, seq: number): void {
    this.#reads.set(roomId, seq);
  }

  /**
   * removeMessage replaces a message by a tombstone: one's own within two
   * minutes, any for owner and admins. It waits as history does.
   */
  async removeMessage(roomId: string, seq: number): Promise<void> {
    await this.#calls.call("message.remove", { room_id: roomId, seq });
  }

  /** reconnect tries now, without waiting for the pause to end. */
  reconnect(): void {
    this.#line.hurry();
  }

  /** close ends the connection. What is not sent stays in the outbox. */
  close(): void {
    this.#line.close();
  }

  async #run(hold: number, random: () => number, hearers: Omit<Hearers, "stream">) {
    const stream = new Stream(
      await this.#cursors.load(),
      hold,
      random,
      (m) => {
        this.#outbox.saw(m);
        this.#events.emit("message", m);
      },
      (roomId, cursor) => this.#cursors.moved(roomId, cursor),
      () => this.#events.emit("resync", undefined),
    );
    this.#hearers = { ...hearers, stream };
    void this.#outbox.load();
    await this.#line.run();
  }

  #connected(socket: Socket, ready: Ready) {
    this.#hearers?.stream.connected(socket, ready.rooms);
    this.#outbox.connected(socket, ready.limits.text_length);
    this.#reads.connected(socket);
    this.#calls.connected(socket);
    void this.#outbox.inherit();
    this.#events.emit("ready", { rooms: ready.rooms });
    this.#events.emit("resync", undefined);
  }

  #lost() {
    this.#hearers?.stream.lost();
    this.#outbox.lost();
    this.#reads.lost();
    this.#calls.lost();
  }

  #told(state: ConnectionState) {
    if (state === "closed") {
      this.#hearers?.stream.stop();
      this.#unwatch.forEach((stop) => stop());
      this.#reads.lost();
      this.#calls.end();
      this.#outbox.end();
      void this.#cursors.save();
    }
    this.#events.emit("state", state);
  }

  #watchPresence(): () => void {
    return watchPresence({
      online: () => this.#line.online(),
      offline: () => this.#line.offline(),
      visible: () => {
        this.#line.hurry();
        void this.#outbox.inherit();
      },
      hidden: () => void this.#cursors.save(),
    });
  }
}

import { Backoff, Pause } from "./backoff.js";
import { ParleyError } from "./error.js";
import type { Outgoing } from "./events.js";
import { Heirs } from "./heirs.js";
import { newId } from "./id.js";
import type { OutboxStore, StoredOutgoing } from "./outboxstore.js";
import { Lost, type Socket } from "./socket.js";
import type { Message } from "./types.js";
import { wellFormed } from "./wellformed.js";

/** mostPause bounds the pause before a refused message is sent again, in milliseconds. */
const mostPause = 10_000;
/** mostFaults is how often the server may fail on a message before it counts as refused, and others of its room go on. */
const mostFaults = 5;

/** What has come of trying to send one message. */
interface Attempts {
  readonly retry: Backoff;
  faults: number;
}

/**
 * Outbox sends a user's messages, each once. Of a room one is on its way at a
 * time: while it is not known to be stored, or refused for good, none that was
 * sent after it may go, or it might overtake it. Under its client_id the log
 * has it once, however often it is sent.
 *
 * Tabs share the store. Each sends what was given to it, and what was left
 * behind by those that are no more. Where it can't be known who lives, it sends
 * all that is there when it starts: what two send is stored once nevertheless.
 */
export class Outbox {
  #messages = new Map<string, Outgoing>(); // by client_id, in the order in which they are sent
  readonly #busy = new Set<string>(); // rooms with one on its way
  readonly #pauses = new Set<Pause>();
  readonly #heirs = new Heirs(newId());
  #loaded = false;
  #cleared = false;
  #socket: Socket | undefined;
  #textLength = 4000;

  constructor(
    private readonly userId: string,
    private readonly store: OutboxStore,
    private readonly random: () => number,
    private readonly onChange: (o: Outgoing) => void,
    /** Told of a seq that a room has reached. */
    private readonly onSent: (roomId: string, seq: number) => void,
  ) {}

  /** load takes in what was left before. Nothing is sent earlier, or it might overtake. */
  async load(): Promise<void> {
    await this.inherit(true);
    this.#loaded = true;
    this.#sendAll();
  }

  /** inherit takes over what connections left behind that are no more. */
  async inherit(first = false): Promise<void> {
    const kept = await this.#all();
    const owners = new Set(kept.map((o) => o.owner ?? ""));
    for (const owner of owners) {
      const known = owner !== "" && (await this.#heirs.await(owner, () => this.#adopt(owner)));
      if (!known && first) await this.#adopt(owner);
    }
  }

  /** connected has all of it sent over a new connection. */
  connected(socket: Socket, textLength: number): void {
    this.#socket = socket;
    this.#textLength = textLength;
    this.#pauses.forEach((pause) => pause.wake());
    this.#sendAll();
  }

  lost(): void {
    this.#socket = undefined;
  }

  /** end leaves what is not sent to others. */
  end(): void {
    this.lost();
    this.#heirs.end();
    this.#pauses.forEach((pause) => pause.wake());
  }

  add(roomId: string, text: string): Outgoing {
    const o: Outgoing = {
      client_id: newId(),
      room_id: roomId,
      text: wellFormed(text),
      created_at: new Date().toISOString(),
      status: "sending",
    };
    this.#messages.set(o.client_id, o);
    void this.#keep(o);
    void this.#send(roomId);
    return { ...o };
  }

  list(roomId?: string): Outgoing[] {
    return [...this.#messages.values()].filter((o) => !roomId || o.room_id === roomId).map((o) => ({ ...o }));
  }

  /** retry sends a failed one again, behind what its room has to send by now. */
  retry(clientId: string): void {
    const o = this.#failed(clientId);
    if (!o) return;
    // In the store it stays where it stood: a page that ended between taking
    // it out and putting it back would have lost it.
    this.#messages.delete(clientId);
    this.#messages.set(clientId, o);
    this.#change(o, { status: "sending", error: undefined });
    void this.#keep(o);
    void this.#send(o.room_id);
  }

  discard(clientId: string): void {
    if (!this.#failed(clientId)) return;
    this.#messages.delete(clientId);
    this.#remove(clientId);
  }

  /** clear forgets all of it for good, and what others left. */
  clear(): void {
    this.#cleared = true;
    this.#messages.clear();
    void this.#all().then((all) => all.forEach((o) => this.#remove(o.client_id)));
  }

  /** saw settles a message of the user's own that is known to be stored, whether or not that was acknowledged. */
  saw(m: Message): void {
    const o = m.sender_id === this.userId && this.#messages.get(m.client_id);
    if (o && o.room_id === m.room_id) this.#sent(o, m.seq);
  }

  #sendAll() {
    for (const room of new Set([...this.#messages.values()].map((o) => o.room_id))) void this.#send(room);
  }

  /** #send sends a room's messages, one after the other, until there are none, or no connection. */
  async #send(room: string) {
    if (this.#busy.has(room)) return;
    this.#busy.add(room);
    const attempts = { retry: new Backoff(mostPause, this.random), faults: 0 };
    for (let o; this.#socket && this.#loaded && (o = this.#first(room));) {
      const wait = await this.#try(o, this.#socket, attempts);
      if (wait > 0) await this.#pause(wait);
    }
    this.#busy.delete(room);
  }

  #first(room: string): Outgoing | undefined {
    for (const o of this.#messages.values()) if (o.room_id === room && o.status === "sending") return o;
    return undefined;
  }

  /** #try sends a message, and says how long to wait before the next one, or the same again. */
  async #try(o: Outgoing, socket: Socket, attempts: Attempts): Promise<number> {
    try {
      // Beyond any text that may pass: its frame might have the gateway hang up.
      if (o.text.length > 2 * this.#textLength) {
        const detail = `has more than ${this.#textLength} characters`;
        throw new ParleyError("invalid_argument", detail, { fields: [{ field: "content.text", detail }] });
      }
      const { room_id, client_id, text } = o;
      const sent = await socket.ask("message.send", { room_id, client_id, type: "text", content: { text } });
      this.#sent(o, sent.seq);
    } catch (error) {
      if (error instanceof Lost) {
        if (this.#socket === socket) this.lost(); // the next connection has it sent again
        return 0;
      }
      if (!this.#messages.has(o.client_id)) return 0; // it came back as a push
      const e = error as ParleyError;
      const again = e.temporary || (e.code === "internal" && ++attempts.faults < mostFaults);
      if (again) return attempts.retry.next(e.retryAfterMs);
      if (e.code === "unauthenticated") {
        socket.close(); // the token ran out: the next connection has another
        return 0;
      }
      this.#fail(o, e);
    }
    attempts.retry.reset();
    attempts.faults = 0;
    return 0;
  }

  async #pause(ms: number) {
    const pause = new Pause();
    this.#pauses.add(pause);
    await pause.for(ms);
    this.#pauses.delete(pause);
  }

  #sent(o: Outgoing, seq: number) {
    if (!this.#messages.delete(o.client_id)) return; // it is known already
    this.#remove(o.client_id);
    this.#change(o, { status: "sent", seq, error: undefined });
    this.onSent(o.room_id, seq);
  }

  #fail(o: Outgoing, error: ParleyError) {
    this.#change(o, { status: "failed", error });
    void this.#keep(o);
  }

  #change(o: Outgoing, change: Partial<Outgoing>) {
    this.onChange({ ...Object.assign(o, change) });
  }

  /** #failed returns a failed one; one that is on its way can't be called back. */
  #failed(clientId: string): Outgoing | undefined {
    const o = this.#messages.get(clientId);
    return o?.status === "failed" ? o : undefined;
  }

  async #adopt(owner: string) {
    const left = (await this.#all()).filter((o) => (o.owner ?? "") === owner && !this.#messages.has(o.client_id));
    await Promise.all(left.map((o) => this.#keep(o)));
    if (this.#cleared) return;
    const older = left.map(({ owner: _, ...o }) => [o.client_id, o] as const);
    this.#messages = new Map([...older, ...this.#messages]);
    for (const [, o] of older) this.onChange({ ...o });
    this.#sendAll();
  }

  // A store that fails costs no message that this page lives to send.

  #all(): Promise<StoredOutgoing[]> {
    return this.store.all(this.userId).catch(() => []);
  }

  async #keep(o: Outgoing): Promise<void> {
    if (this.#cleared) return;
    await this.store.put(this.userId, { ...o, owner: this.#heirs.name }).catch(() => undefined);
  }

  #remove(clientId: string) {
    void this.store.remove(this.userId, clientId).catch(() => undefined);
  }
}

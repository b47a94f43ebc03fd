import { ParleyError } from "./error.js";
import type { Ready } from "./types.js";
import { json } from "./wellformed.js";
import type * as wire from "./wire/asyncapi.js";

/** What the SDK uses of a WebSocket. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketClass = new (url: string) => WebSocketLike;

/** What a client asks: for each op what it carries and what is replied. */
export interface Ops {
  auth: [wire.Auth["data"], Ready];
  "message.send": [wire.MessageSend["data"], wire.SendReply];
  "messages.get": [wire.MessagesGet["data"], wire.HistoryReply];
  "message.remove": [wire.MessageRemove["data"], object];
  "read.set": [wire.ReadSet["data"], object];
  ping: [undefined, object];
}
export type Op = keyof Ops;

/** Frame is any frame of a gateway. */
interface Frame {
  id?: string;
  op: string;
  data?: unknown;
  error?: wire.Error["error"];
}

/**
 * Lost is a connection that has ended, or was never made: what was asked on it
 * may have been carried out.
 */
export class Lost extends Error {
  constructor(
    /** The close code; 1006 when the network ended it, 0 when this side did. */
    readonly code: number,
    /** What the gateway said before, if it refused the connection. */
    readonly refusal?: ParleyError,
  ) {
    super(`the connection was lost (${code})`);
  }
}

/** Times are in milliseconds. */
export interface Patience {
  /** How long a connection may take until it is ready. */
  open: number;
  /** How long no reply may come while one is waited for; longer than gateways wait for their services. */
  reply: number;
  /** How long the answer to a ping may take when the network may have changed. */
  check: number;
  /** How long a gateway that said it would close may take to, before this side does. */
  drain: number;
}

interface Waiting {
  since: number;
  resolve(data: unknown): void;
  reject(why: Error): void;
}

/** Socket is one WebSocket to one gateway, from the first frame to the last. */
export class Socket {
  readonly #ws: WebSocketLike;
  readonly #waiting = new Map<string, Waiting>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #next = 0;
  #heard = now(); // when any frame came last
  #answered = 0; // when a reply came last
  #heartbeat = 25_000;
  #refusal: ParleyError | undefined; // of the first auth frame
  #early: Frame[] | undefined = []; // pushes that overtake the reply to it
  #lost: Lost | undefined;
  readonly #ready: Promise<Ready>;
  #end!: (why: Lost) => void;

  /** Resolves when the connection has ended. */
  readonly ended = new Promise<Lost>((resolve) => (this.#end = resolve));

  constructor(
    url: string,
    token: string,
    WebSocket: WebSocketClass,
    private readonly patience: Patience,
    private readonly onPush: (op: string, data: unknown) => void,
  ) {
    this.#ws = new WebSocket(`ws${url.slice("http".length)}/api/v1/ws`);
    this.#ws.onmessage = (event: { data: unknown }) => this.#read(event.data);
    this.#ws.onclose = (event: { code: number }) => this.#finish(event.code);
    this.#ws.onerror = () => undefined; // onclose follows
    const open = new Promise<void>((resolve) => (this.#ws.onopen = () => resolve()));
    this.#ready = open.then(() => this.ask("auth", { token }));
    this.#after(patience.open, () => this.#early && this.close());
  }

  /** ready is the gateway's welcome. It throws Lost when there is none. */
  async ready(welcome: (r: Ready) => void): Promise<Ready> {
    const ready = await Promise.race([
      this.#ready.catch((error: unknown) => {
        if (error instanceof ParleyError) this.#refusal = error; // the close code follows
        return undefined;
      }),
      this.ended,
    ]);
    if (ready instanceof Lost) throw ready;
    if (!ready) throw await this.ended;
    this.#heartbeat = ready.heartbeat_ms || this.#heartbeat;
    welcome(ready);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const push of early) if (!this.#lost) this.onPush(push.op, push.data);
    this.#watch(Date.now());
    return ready;
  }

  /** ask sends a frame and waits for its reply. It rejects with a ParleyError when it is refused, or with Lost. */
  ask<O extends Op>(op: O, data: Ops[O][0]): Promise<Ops[O][1]> {
    if (this.#lost) return Promise.reject(this.#lost);
    const id = String(++this.#next);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { since: now(), resolve, reject });
      this.#ws.send(json({ id, op, data }));
    });
  }

  /** check asks for a sign of life, and ends the connection when there is none soon. */
  check(): void {
    const asked = now();
    this.#ping();
    this.#after(this.patience.check, () => this.#heard < asked && this.close());
  }

  /** close ends the connection from this side. It counts as ended at once, whatever the network does. */
  close(): void {
    this.#ws.close(1000);
    this.#finish(0);
  }

  #finish(code: number) {
    if (this.#lost) return;
    this.#lost = new Lost(code, this.#refusal);
    this.#timers.forEach(clearTimeout);
    this.#ws.onmessage = this.#ws.onclose = this.#ws.onopen = null;
    for (const w of this.#waiting.values()) w.reject(this.#lost);
    this.#waiting.clear();
    this.#end(this.#lost);
  }

  #read(text: unknown) {
    let frame: Frame;
    try {
      frame = JSON.parse(text as string) as Frame;
    } catch {
      return this.close(); // no gateway
    }
    this.#heard = now();
    if (frame.op === "ok" || frame.op === "error") this.#answer(frame);
    else if (frame.op === "server.draining") this.#drain(frame.data as { reconnect_after_ms?: number });
    else if (this.#early) this.#early.push(frame);
    else this.onPush(frame.op, frame.data);
  }

  /**
   * #answer settles the call that a reply belongs to. An error without an id is
   * of a frame that the gateway could not read. Frames are carried out one
   * after the other, so that it is the oldest that waits: left waiting, it
   * would be sent again on each connection, for ever.
   */
  #answer(frame: Frame) {
    const [oldest] = this.#waiting.keys();
    const id = frame.id || (frame.op === "error" && oldest) || "";
    const w = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#answered = now();
    if (frame.op === "ok") return w?.resolve(frame.data);
    const e = frame.error;
    w?.reject(
      new ParleyError(e?.code ?? "internal", e?.detail ?? "", { fields: e?.errors, retryAfterMs: e?.retry_after_ms }),
    );
  }

  /** #drain leaves when the gateway should have closed, and has not. */
  #drain(d: { reconnect_after_ms?: number }) {
    this.#after((d.reconnect_after_ms ?? 0) + this.patience.drain, () => {
      this.#ws.close(1000);
      this.#finish(1012);
    });
  }

  /**
   * #watch notices a connection that is dead without having been closed. A
   * gateway carries out the frames of a connection one after the other, so
   * that a reply may take long while others come.
   */
  #watch(before: number) {
    const pause = Math.min(this.#heartbeat / 2, 5000);
    const [oldest] = this.#waiting.values();
    if (oldest && now() - Math.max(oldest.since, this.#answered) > this.patience.reply) return this.close();
    if (Date.now() - before > pause + 10_000)
      this.check(); // the machine has slept
    else if (!oldest && now() - this.#heard > this.#heartbeat) this.#ping();
    const at = Date.now();
    this.#after(pause, () => this.#watch(at));
  }

  #ping() {
    this.ask("ping", undefined).catch(() => undefined);
  }

  #after(ms: number, f: () => void) {
    if (this.#lost) return; // by who was just told something
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      f();
    }, ms);
    this.#timers.add(timer);
  }
}

/** now counts milliseconds, whatever is done to the clock. */
function now(): number {
  return performance.now();
}

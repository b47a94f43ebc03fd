import { Pause } from "./backoff.js";
import { isCode, ParleyError } from "./error.js";
import type { ConnectionState } from "./events.js";
import { isOffline } from "./presence.js";
import { code, Route } from "./route.js";
import { Lost, Socket, type WebSocketClass } from "./socket.js";
import type { Timing } from "./timing.js";
import { margin, type Tokens } from "./token.js";
import type { Ready } from "./types.js";

/** Who uses a line. */
export interface Listener {
  connected(socket: Socket, ready: Ready): void;
  lost(): void;
  pushed(op: string, data: unknown): void;
  state(state: ConnectionState): void;
}

/** Line keeps a connection: when one ends it makes another, until it is closed or the session is over. */
export class Line {
  readonly #pause = new Pause();
  readonly #route: Route;
  #state: ConnectionState = "connecting";
  #socket: Socket | undefined; // the one that is being made, too
  #live = false;
  #before = false; // there has been one
  #hurry = false;
  #closed = false;
  #refused: string | undefined; // the token that was
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(
    urls: readonly string[],
    private readonly tokens: Tokens,
    private readonly WebSocket: WebSocketClass,
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly listener: Listener,
  ) {
    this.#route = new Route(urls, timing.backoff, random);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** run returns when the line is closed. */
  async run(): Promise<void> {
    while (!this.#closed) {
      this.#tell();
      const { url, pause } = this.#route.next();
      if (!this.#hurry) await this.#pause.for(pause > 0 && isOffline() ? Math.max(pause, this.timing.offline) : pause);
      this.#hurry = false;
      const token = await this.#token();
      if (token !== undefined && !this.#closed) await this.#hold(url, token);
    }
  }

  /** hurry tries at once, or makes sure that the connection lives. */
  hurry(): void {
    if (this.#live) return this.#socket?.check();
    this.#hurry = true;
    this.#pause.wake();
  }

  /** online also gives up a try that began when there was no network. */
  online(): void {
    this.hurry();
    if (!this.#live) this.#socket?.close();
    this.#tell();
  }

  offline(): void {
    this.#socket?.close();
    this.#tell();
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
    this.#pause.wake();
    this.#tell();
  }

  /** #token returns the token to connect with; none when it can't be had right now. */
  async #token(): Promise<string | undefined> {
    try {
      return await (this.#refused === undefined ? this.tokens.fresh() : this.tokens.other(this.#refused));
    } catch (error) {
      if (isCode(error, "unauthenticated")) this.close();
      this.#route.failed(error instanceof ParleyError ? error.retryAfterMs : 0);
      return undefined;
    }
  }

  /** #hold makes a connection, and returns when it has ended. */
  async #hold(url: string, token: string) {
    this.#refused = undefined;
    const socket = this.#dial(url, token);
    if (!socket) return this.#route.failed();
    this.#socket = socket;
    let since = Infinity;
    const why = await socket
      .ready((ready) => {
        since = performance.now();
        this.#live = this.#before = true;
        this.#hurry = false; // it has been made: the next loss is another matter
        this.#renewLater(socket, token);
        this.#tell();
        this.listener.connected(socket, ready);
      })
      .then(
        () => socket.ended,
        (lost: Lost) => lost,
      );
    this.#socket = undefined;
    this.#live = false;
    clearTimeout(this.#renewal);
    this.listener.lost();
    await this.#conclude(why, token, Math.max(performance.now() - since, 0));
  }

  /** #dial begins a connection; none when the browser refuses to, as it does from https to http. */
  #dial(url: string, token: string): Socket | undefined {
    try {
      return new Socket(url, token, this.WebSocket, this.timing, (op, data) => this.listener.pushed(op, data));
    } catch {
      return undefined;
    }
  }

  /** #conclude says what a connection's end means for the next. */
  async #conclude(why: Lost, token: string, lived: number) {
    if (this.#closed) return;
    if (why.code === code.revoked) await this.tokens.end("revoked");
    if (why.code === code.unauthenticated || isCode(why.refusal, "unauthenticated")) this.#refused = token;
    if (!this.#route.ended(why, lived)) this.close();
  }

  /** #renewLater puts a fresh token on the live connection before the one that it has runs out. */
  #renewLater(socket: Socket, token: string) {
    const { current } = this.tokens;
    // Some of it earlier, so that not all clients renew at the same time.
    const early = margin(current) + this.random() * current.lifetime_ms * 0.1;
    // Where a call has renewed it meanwhile, the one in use runs out sooner.
    const left = current.access_token === token ? current.expires_at - early - Date.now() : 0;
    const pause = Math.min(Math.max(left, 100), 2 ** 31 - 1);
    this.#renewal = setTimeout(() => void this.#renew(socket, token), pause);
  }

  async #renew(socket: Socket, token: string) {
    try {
      const fresh = await this.tokens.other(token);
      await socket.ask("auth", { token: fresh });
      if (socket === this.#socket) this.#renewLater(socket, fresh);
    } catch (error) {
      if (isCode(error, "unauthenticated") || socket !== this.#socket) return; // over, or another's turn
      // The gateway closes the connection when the token has run out; the
      // next one begins with a new token, or learns that there is none.
      this.#renewal = setTimeout(() => void this.#renew(socket, token), 1000 + this.random() * 1000);
    }
  }

  #tell() {
    const state = this.#now();
    if (state === this.#state) return;
    this.#state = state;
    this.listener.state(state);
  }

  #now(): ConnectionState {
    if (this.#closed) return "closed";
    if (this.#live) return "connected";
    if (isOffline()) return "offline";
    return this.#before ? "reconnecting" : "connecting";
  }
}

import { baseUrls, Http } from "./http.js";
import { Session } from "./session.js";
import type { WebSocketClass } from "./socket.js";
import { localSessionStore, type SessionStore } from "./store.js";
import { granted } from "./token.js";
import type { Body, Tokens } from "./types.js";

export interface ParleyOptions {
  /** Base URLs of gateways, tried in turn. Left out: where the page came from. */
  urls?: string | string[];
  /** Keeps the session. Left out: localSessionStore(). */
  store?: SessionStore;
  /** Opens sockets. Left out: the platform's; on Node without one, that of the package ws. */
  webSocket?: WebSocketClass;
  /** Makes HTTP calls. Left out: the platform's. */
  fetch?: typeof globalThis.fetch;
}

/** Parley is where a visitor begins: it registers, logs in, or resumes a session. */
export class Parley {
  readonly #http: Http;
  readonly #store: SessionStore;
  readonly #webSocket: WebSocketClass | undefined;

  constructor(o: ParleyOptions = {}) {
    this.#http = new Http(baseUrls(o.urls), o.fetch ?? globalThis.fetch);
    this.#store = o.store ?? localSessionStore();
    this.#webSocket = o.webSocket;
  }

  /** requestCode has a code mailed; whether the address is known is not told. */
  requestCode(email: string, purpose: "register" | "reset_password"): Promise<void> {
    const body: Body<"sendCode"> = { email, purpose };
    return this.#http.call({ method: "POST", path: "/auth/codes", body });
  }

  /** resetPassword sets a new password with a mailed code; all of the account's sessions end. */
  resetPassword(b: Body<"resetPassword">): Promise<void> {
    return this.#http.call({ method: "POST", path: "/auth/password/reset", body: b });
  }

  /** register makes an account with a mailed code, and logs in. */
  register(b: Body<"register">): Promise<Session> {
    return this.#grant("/auth/register", b, false);
  }

  /** login logs in by account or e-mail; wrong ones are "unauthenticated". */
  login(b: Body<"login">): Promise<Session> {
    return this.#grant("/auth/login", b, true);
  }

  /** resume goes on with the session in the store, without asking the server; null: there is none. */
  async resume(): Promise<Session | null> {
    const stored = await this.#store.load();
    return stored && new Session(this.#http, this.#store, stored, this.#webSocket);
  }

  async #grant(path: string, body: unknown, repeatable: boolean): Promise<Session> {
    const asked = Date.now();
    const stored = granted(await this.#http.call<Tokens>({ method: "POST", path, body, repeatable }), asked);
    await this.#store.save(stored);
    return new Session(this.#http, this.#store, stored, this.#webSocket);
  }
}

import { isCode, ParleyError } from "./error.js";
import type { Http } from "./http.js";
import { exclusively } from "./lock.js";
import type { SessionStore, StoredSession } from "./store.js";
import type { Tokens as Grant } from "./types.js";

/** mostMargin bounds how long before its end a token is renewed, in milliseconds. */
const mostMargin = 60_000;

/** Why a session has ended. */
export type Ending = "logout" | "revoked" | "expired";

/**
 * Tokens gives out access tokens of one session, and renews them. The store
 * is the truth: of several tabs one renews, and the others take what it got.
 */
export class Tokens {
  #renewing: Promise<StoredSession> | undefined;
  #ended = false;
  #leaving = false;

  constructor(
    private readonly http: Http,
    private readonly store: SessionStore,
    private held: StoredSession,
    private readonly onEnded: (why: Ending) => void,
  ) {}

  get current(): StoredSession {
    return this.held;
  }

  /** fresh returns a token that lives for a while yet. */
  async fresh(): Promise<string> {
    if (!this.#ended && isFresh(this.held)) return this.held.access_token;
    return this.other(this.held.access_token);
  }

  /**
   * other returns a token other than the one that is running out or was
   * refused. The error has the code "unauthenticated" when the session is over.
   */
  async other(old: string): Promise<string> {
    if (this.#ended) throw new ParleyError("unauthenticated", "the session has ended");
    if (this.held.access_token !== old && isFresh(this.held)) return this.held.access_token;
    this.#renewing ??= exclusively(`parley.session.${this.held.session_id}`, () => this.#renew(old)).finally(
      () => (this.#renewing = undefined),
    );
    return (await this.#renewing).access_token;
  }

  /** leave has the end count as a logout, also when the gateway tells of it before it answers. */
  leave(): void {
    this.#leaving = true;
  }

  /** end ends the session on this device; the first reason counts. */
  async end(why: Ending): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const kept = await this.store.load().catch(() => null);
    if (kept?.session_id === this.held.session_id) await this.store.clear().catch(() => undefined);
    this.onEnded(this.#leaving ? "logout" : why);
  }

  /** update changes what is kept beside the tokens. */
  async update(change: Pick<StoredSession, "user">): Promise<void> {
    await exclusively(`parley.session.${this.held.session_id}`, async () => {
      const kept = await this.store.load();
      if (kept?.session_id !== this.held.session_id) return;
      this.held = { ...kept, ...change };
      await this.store.save(this.held);
    });
  }

  /**
   * #renew exchanges the refresh token. The one before stays in the store until
   * the new one is there: after a lost answer the server takes it for another
   * minute.
   */
  async #renew(old: string): Promise<StoredSession> {
    for (;;) {
      const kept = await this.#kept();
      if (kept.access_token !== old && isFresh(kept)) return (this.held = kept); // another tab was faster
      const asked = Date.now();
      let grant: Grant;
      try {
        grant = await this.http.call<Grant>({
          method: "POST",
          path: "/auth/refresh",
          body: { refresh_token: kept.refresh_token },
          repeatable: true,
        });
      } catch (error) {
        if (!isCode(error, "unauthenticated") && !isCode(error, "invalid_argument")) throw error;
        // Where tabs can't lock, another one may have used the token meanwhile.
        const now = await this.store.load();
        if (now?.session_id === kept.session_id && now.refresh_token !== kept.refresh_token) continue;
        await this.end("expired");
        throw new ParleyError("unauthenticated", "the session has ended", { cause: error });
      }
      const renewed = granted(grant, asked);
      await this.#kept(); // what ended meanwhile does not come back, nor in place of the next login
      await this.store.save(renewed);
      return (this.held = renewed);
    }
  }

  /** #kept is the session as the store has it. When it is there no more, it has ended here or in another tab. */
  async #kept(): Promise<StoredSession> {
    const kept = await this.store.load();
    if (!this.#ended && kept?.session_id === this.held.session_id) return kept;
    await this.end("logout");
    throw new ParleyError("unauthenticated", "the session has ended");
  }
}

/** granted is what is kept of a grant that was asked for at that time. */
export function granted(grant: Grant, asked: number): StoredSession {
  const lifetime = grant.expires_in * 1000;
  return {
    user_id: grant.user.id,
    session_id: sessionOf(grant.access_token),
    user: grant.user,
    access_token: grant.access_token,
    refresh_token: grant.refresh_token,
    expires_at: asked + lifetime,
    lifetime_ms: lifetime,
  };
}

/** margin is how long before its end a token counts as running out: a minute, less for a short life. */
export function margin(s: StoredSession): number {
  return Math.min(mostMargin, s.lifetime_ms * 0.3);
}

function isFresh(s: StoredSession): boolean {
  return s.expires_at - Date.now() > margin(s);
}

/** sessionOf reads the session's id from an access token, a JWT; its signature is the server's to check. */
function sessionOf(token: string): string {
  try {
    const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    return (JSON.parse(atob(payload)) as { sid: string }).sid;
  } catch (cause) {
    throw new ParleyError("internal", "the access token is not understood", { cause });
  }
}

import type { User } from "./types.js";

/** What is kept of a session, so that it survives a reload. It holds secrets. */
export interface StoredSession {
  user_id: string;
  session_id: string;
  /** As last known. */
  user: User | null;
  access_token: string;
  refresh_token: string;
  /** When the access token ends, by this device's clock, in milliseconds since 1970. */
  expires_at: number;
  /** How long the access token was given for, in milliseconds. */
  lifetime_ms: number;
}

/** SessionStore keeps one session. Tabs that share a session share its store. */
export interface SessionStore {
  /** Null: there is none. */
  load(): Promise<StoredSession | null>;
  save(session: StoredSession): Promise<void>;
  clear(): Promise<void>;
}

/** memorySessionStore keeps the session for as long as the page lives. */
export function memorySessionStore(): SessionStore {
  let kept: string | null = null;
  return {
    load: () => Promise.resolve(read(kept)),
    save: (session) => Promise.resolve(void (kept = JSON.stringify(session))),
    clear: () => Promise.resolve(void (kept = null)),
  };
}

/**
 * localSessionStore keeps the session in the page's localStorage, for all tabs.
 * Where that is forbidden or full, it is kept in memory.
 */
export function localSessionStore(key = "parley.session"): SessionStore {
  const memory = memorySessionStore();
  const storage = (): Storage => globalThis.localStorage;
  return {
    async load() {
      try {
        return read(storage().getItem(key)) ?? (await memory.load());
      } catch {
        return memory.load();
      }
    },
    async save(session) {
      try {
        storage().setItem(key, JSON.stringify(session));
        await memory.clear();
      } catch {
        await memory.save(session);
        remove();
      }
    },
    async clear() {
      await memory.clear();
      remove();
    },
  };

  function remove() {
    try {
      storage().removeItem(key);
    } catch {
      // nothing is kept there
    }
  }
}

/** read understands what was kept; something else counts as nothing. */
function read(kept: string | null): StoredSession | null {
  if (kept === null) return null;
  try {
    const session = JSON.parse(kept) as StoredSession;
    return session.session_id && session.refresh_token ? session : null;
  } catch {
    return null;
  }
}

import { hasDatabase, result, transact } from "./database.js";
import { ParleyError, type Refusal } from "./error.js";
import type { Outgoing } from "./events.js";
import type { ErrorCode } from "./types.js";

/** What is kept of a message on its way. */
export interface StoredOutgoing extends Outgoing {
  /** Names the connection that sends it; when that is no more, another one takes it over. */
  owner?: string;
}

/** OutboxStore keeps a user's messages until they are acknowledged. Tabs share it. */
export interface OutboxStore {
  /** all returns them in the order in which they were first put. */
  all(userId: string): Promise<StoredOutgoing[]>;
  /** put adds one, or changes it where it stands. */
  put(userId: string, o: StoredOutgoing): Promise<void>;
  remove(userId: string, clientId: string): Promise<void>;
}

/** defaultOutbox is in IndexedDB, or in memory where there is none. */
export function defaultOutbox(): OutboxStore {
  return hasDatabase() ? indexedDbOutbox() : memoryOutbox();
}

/** memoryOutbox forgets with the page. */
export function memoryOutbox(): OutboxStore {
  const users = new Map<string, Map<string, StoredOutgoing>>();
  const of = (userId: string) => {
    const own = users.get(userId) ?? new Map<string, StoredOutgoing>();
    users.set(userId, own);
    return own;
  };
  return {
    all: (userId) => Promise.resolve([...of(userId).values()]),
    put: (userId, o) => Promise.resolve(void of(userId).set(o.client_id, { ...o })),
    remove: (userId, clientId) => Promise.resolve(void of(userId).delete(clientId)),
  };
}

/** A row of the database: errors lose their class when they are copied there. */
interface Row extends Omit<StoredOutgoing, "error"> {
  user_id: string;
  error?: { code: ErrorCode; detail: string } & Refusal;
}

/** indexedDbOutbox outlives the page. */
export function indexedDbOutbox(): OutboxStore {
  return {
    async all(userId) {
      const rows = await transact("outbox", "readonly", (s) => result<Row[]>(s.index("user").getAll(userId)));
      return rows.map(revive);
    },
    put: (userId, o) =>
      transact("outbox", "readwrite", async (s) => {
        const key = await result<IDBValidKey | undefined>(s.index("message").getKey([userId, o.client_id]));
        s.put(row(userId, o), key);
      }),
    remove: (userId, clientId) =>
      transact("outbox", "readwrite", async (s) => {
        const key = await result<IDBValidKey | undefined>(s.index("message").getKey([userId, clientId]));
        if (key !== undefined) s.delete(key);
      }),
  };
}

function row(userId: string, { error: e, ...o }: StoredOutgoing): Row {
  if (!e) return { ...o, user_id: userId };
  const { code, message: detail, status, fields } = e;
  return { ...o, user_id: userId, error: { code, detail, status, fields } };
}

function revive({ user_id: _, error: e, ...o }: Row): StoredOutgoing {
  return e ? { ...o, error: new ParleyError(e.code, e.detail, e) } : o;
}

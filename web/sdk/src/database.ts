// The page's IndexedDB, shared by all tabs.

const stores = {
  /** Messages on their way, keyed by a number that grows: in the order in which they were first put. */
  outbox: "outbox",
  /** A seq for each [user, room]. */
  cursors: "cursors",
} as const;

/** patience is how long a transaction may take, in milliseconds: browsers have been seen that never open a database. */
const patience = 5000;

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open("parley", 1);
    request.onupgradeneeded = () => {
      const outbox = request.result.createObjectStore(stores.outbox, { autoIncrement: true });
      outbox.createIndex("user", "user_id");
      outbox.createIndex("message", ["user_id", "client_id"], { unique: true });
      request.result.createObjectStore(stores.cursors);
    };
    request.onsuccess = () => {
      const database = request.result;
      // Another tab has a newer version, or the database is taken away: the
      // next transaction finds out which.
      database.onversionchange = () => {
        database.close();
        opened = undefined;
      };
      database.onclose = () => (opened = undefined);
      resolve(database);
    };
    request.onerror = () => reject(request.error ?? new Error("IndexedDB can't be opened"));
  }).catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

/**
 * transact runs f in one transaction on a store, and resolves to what it has
 * returned when the transaction is complete. f may await requests, through
 * result, but nothing else. It rejects when there is no answer in time; the
 * transaction may be carried out later nevertheless.
 */
export async function transact<T>(
  store: keyof typeof stores,
  mode: IDBTransactionMode,
  f: (store: IDBObjectStore) => T | Promise<T>,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("IndexedDB does not answer")), patience);
  });
  try {
    return await Promise.race([carryOut(store, mode, f), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function carryOut<T>(
  store: keyof typeof stores,
  mode: IDBTransactionMode,
  f: (store: IDBObjectStore) => T | Promise<T>,
): Promise<T> {
  const transaction = (await open()).transaction(stores[store], mode);
  const done = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
  });
  const [value] = await Promise.all([f(transaction.objectStore(stores[store])), done]);
  return value;
}

/** result awaits a request. */
export function result<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error ?? new Error("a request to IndexedDB failed"));
  });
}

/** hasDatabase tells whether the platform has an IndexedDB; some forbid even to look where nothing may be kept. */
export function hasDatabase(): boolean {
  try {
    return typeof indexedDB !== "undefined";
  } catch {
    return false;
  }
}

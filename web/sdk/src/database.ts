// The page's IndexedDB, shared by all tabs.

const stores = {
  /** Messages on their way, keyed by a number that grows: in the order in which they were first put. */
  outbox: "outbox",
  /** A seq for each [user, room]. */
  cursors: "cursors",
} as const;

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
      // Another tab has a newer version, or the browser took the database away.
      database.onversionchange = () => database.close();
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
 * result, but nothing else.
 */
export async function transact<T>(
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

/** hasDatabase tells whether the platform has an IndexedDB. */
export function hasDatabase(): boolean {
  return typeof indexedDB !== "undefined";
}

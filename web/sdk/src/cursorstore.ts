import { hasDatabase, result, transact } from "./database.js";

/** CursorStore keeps, for each of a user's rooms, the seq of the last message that was handed on. Tabs share it. */
export interface CursorStore {
  load(userId: string): Promise<Record<string, number>>;
  /** save keeps those that are given; none moves back. */
  save(userId: string, cursors: Record<string, number>): Promise<void>;
}

/** defaultCursors are in IndexedDB, or in memory where there is none. */
export function defaultCursors(): CursorStore {
  return hasDatabase() ? indexedDbCursors() : memoryCursors();
}

/**
 * memoryCursors forget with the page: each visit begins behind what was there.
 * That is right for an app that reads lists and history anew when it starts.
 */
export function memoryCursors(): CursorStore {
  const users = new Map<string, Record<string, number>>();
  return {
    load: (userId) => Promise.resolve({ ...users.get(userId) }),
    save(userId, cursors) {
      const own = users.get(userId) ?? {};
      for (const [room, seq] of Object.entries(cursors)) own[room] = Math.max(own[room] ?? 0, seq);
      users.set(userId, own);
      return Promise.resolve();
    },
  };
}

/** indexedDbCursors outlive the page: the next visit is told what came meanwhile. */
export function indexedDbCursors(): CursorStore {
  return {
    load: (userId) =>
      transact("cursors", "readonly", async (s) => {
        const own = IDBKeyRange.bound([userId], [userId, []]); // a list is greater than any room
        const [keys, seqs] = await Promise.all([
          result<IDBValidKey[]>(s.getAllKeys(own)),
          result<number[]>(s.getAll(own)),
        ]);
        return Object.fromEntries(keys.map((key, i) => [(key as [string, string])[1], seqs[i] ?? 0]));
      }),
    save: (userId, cursors) =>
      transact("cursors", "readwrite", async (s) => {
        for (const [room, seq] of Object.entries(cursors)) {
          const kept = (await result<number | undefined>(s.get([userId, room]))) ?? -1;
          if (seq > kept) s.put(seq, [userId, room]);
        }
      }),
  };
}

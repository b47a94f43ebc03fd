import "fake-indexeddb/auto";
import { afterEach, expect, test, vi } from "vitest";
import type { Outgoing } from "./index.js";

/** sdk is loaded anew, as by another page. */
const sdk = async () => {
  vi.resetModules();
  return import("./index.js");
};

const outgoing: Outgoing = {
  client_id: "c",
  room_id: "r",
  text: "hello",
  created_at: "2026-01-02T03:04:05.678Z",
  status: "sending",
};

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a database that was taken away is made again", async () => {
  const { indexedDbOutbox } = await sdk();
  const outbox = indexedDbOutbox();
  await outbox.put("u", outgoing);
  await new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase("parley"); // by whoever clears what sites have kept
    request.onsuccess = resolve;
    request.onerror = reject;
  });
  expect(await outbox.all("u")).toEqual([]);
  await outbox.put("u", outgoing);
  expect(await outbox.all("u")).toEqual([outgoing]);
});

test("a database of a newer version is left alone", async () => {
  const { indexedDbCursors } = await sdk();
  const cursors = indexedDbCursors();
  await cursors.save("u", { r: 1 });
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open("parley", 2);
    request.onsuccess = () => resolve(request.result.close());
    request.onerror = reject;
  });
  await expect(cursors.load("u")).rejects.toThrow();
});

test("a database that never answers is not waited for", async () => {
  vi.stubGlobal("indexedDB", { open: () => ({}) });
  const { indexedDbCursors } = await sdk();
  vi.useFakeTimers();
  const refused = expect(indexedDbCursors().load("u")).rejects.toThrow("IndexedDB does not answer");
  await vi.advanceTimersByTimeAsync(60_000);
  await refused;
});

test("where even the mention of IndexedDB is forbidden, things are kept in memory", async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "indexedDB");
  Object.defineProperty(globalThis, "indexedDB", {
    configurable: true,
    get() {
      throw new Error("SecurityError");
    },
  });
  try {
    await sdk();
    const { defaultOutbox } = await import("./outboxstore.js");
    const outbox = defaultOutbox();
    await outbox.put("u", outgoing);
    expect(await outbox.all("u")).toEqual([outgoing]);
  } finally {
    if (own) Object.defineProperty(globalThis, "indexedDB", own);
  }
});

import "fake-indexeddb/auto";
import { describe, expect, test } from "vitest";
import {
  type CursorStore,
  indexedDbCursors,
  indexedDbOutbox,
  memoryCursors,
  memoryOutbox,
  type Outgoing,
  type OutboxStore,
  ParleyError,
} from "./index.js";
import { Gateway } from "./testing/gateway.js";
import { connect, eventually, login, open } from "./testing/visitor.js";

const outgoing = (client_id: string, more: Partial<Outgoing> = {}): Outgoing => ({
  client_id,
  room_id: "r",
  text: client_id,
  created_at: "2026-01-02T03:04:05.678Z",
  status: "sending",
  ...more,
});

describe.each<[string, () => OutboxStore]>([
  ["memory", memoryOutbox],
  ["IndexedDB", indexedDbOutbox],
])("an outbox in %s", (name, make) => {
  const ids = async (store: OutboxStore, user: string) => (await store.all(user)).map((o) => o.client_id);

  test("keeps the order in which they were first put", async () => {
    const store = make();
    const user = `order in ${name}`;
    for (const id of ["c", "a", "b"]) await store.put(user, outgoing(id));
    await store.put(user, outgoing("c", { status: "failed" }));
    expect(await ids(store, user)).toEqual(["c", "a", "b"]);
    await store.remove(user, "c");
    await store.remove(user, "unknown");
    await store.put(user, outgoing("c"));
    expect(await ids(store, user)).toEqual(["a", "b", "c"]);
    expect(await ids(store, "another")).toEqual([]);
  });

  test("keeps why one failed", async () => {
    const store = make();
    const user = `errors in ${name}`;
    const error = new ParleyError("invalid_argument", "no", {
      fields: [{ field: "content.text", detail: "is empty" }],
    });
    await store.put(user, outgoing("a", { status: "failed", error }));
    const [kept] = await store.all(user);
    expect(kept).toEqual(outgoing("a", { status: "failed", error }));
    expect(kept?.error).toBeInstanceOf(ParleyError);
    expect(kept?.error?.fields).toEqual(error.fields);
  });
});

describe.each<[string, () => CursorStore]>([
  ["memory", memoryCursors],
  ["IndexedDB", indexedDbCursors],
])("cursors in %s", (_, make) => {
  test("never move back", async () => {
    const store = make();
    await store.save("u", { r: 0, s: 5 });
    await store.save("u", { r: 2, s: 4 });
    await store.save("u2", { r: 9 });
    expect(await store.load("u")).toEqual({ r: 2, s: 5 });
    expect(await store.load("nobody")).toEqual({});
  });
});

test("a reload goes on from what IndexedDB has", async () => {
  const g = await Gateway.start();
  g.world.room("r");
  const session = await login([g]);
  const before = await connect(session);
  g.tell("r", "1");
  await before.follow("r", 1, 1);
  g.answer = (_, f) => f.op === "message.send"; // and says nothing
  before.connection.send("r", "typed before");
  await eventually("both are kept", async () => {
    const [messages, cursors] = [await indexedDbOutbox().all("me"), await indexedDbCursors().load("me")];
    return messages.length === 1 && cursors["r"] === 1;
  });
  before.connection.close();
  g.answer = undefined;
  const after = open(session);
  await after.follow("r", 2, 2);
  expect(g.world.texts("r")).toEqual(["1", "typed before"]);
});

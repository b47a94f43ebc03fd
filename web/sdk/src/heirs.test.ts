import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { memoryOutbox } from "./index.js";
import { Gateway } from "./testing/gateway.js";
import { locks } from "./testing/locks.js";
import { connect, eventually, login, open } from "./testing/visitor.js";

let page: EventTarget;

beforeEach(() => {
  page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("navigator", { onLine: true, locks: locks() });
});
afterEach(() => vi.unstubAllGlobals());

test("what a closed tab leaves behind is sent by another, and by one only", async () => {
  const g = await Gateway.start();
  g.world.room("r");
  const outbox = memoryOutbox();
  const session = await login([g]);
  g.answer = (_, f) => f.op === "message.send"; // and says nothing
  const [one, two] = [await connect(session, { outbox }), await connect(session, { outbox })];
  const o = one.connection.send("r", "hello");
  await eventually("it is on its way", () => g.asked("message.send").length === 1);
  page.dispatchEvent(new Event("pageshow")); // the other one looks for what is left: nothing yet
  await eventually("it has looked", () => g.asked("ping").length >= 2);
  expect(two.connection.outgoing()).toEqual([]);
  g.answer = undefined;
  const three = open(session, { outbox });
  one.connection.close();
  await eventually("it is sent", () =>
    [...two.of("outgoing"), ...three.of("outgoing")].some((x) => x.status === "sent"),
  );
  expect(g.world.texts("r")).toEqual(["hello"]);
  const heirs = [two, three].filter((t) => t.of("outgoing").some((x) => x.client_id === o.client_id));
  expect(heirs.length).toBe(1);
  await eventually("it is kept no more", async () => (await outbox.all("me")).length === 0);
});

test("what was left behind goes before what is typed now", async () => {
  const g = await Gateway.start();
  g.world.room("r");
  const outbox = memoryOutbox();
  for (const text of ["1", "2"]) {
    const created_at = "2026-01-02T03:04:05.678Z";
    await outbox.put("me", { client_id: text, room_id: "r", text, created_at, status: "sending", owner: "gone" });
  }
  const session = await login([g]);
  // The store answers only when there is a connection, at the worst moment for order.
  const slow = { ...outbox, all: (user: string) => told.ready().then(() => outbox.all(user)) };
  const told = open(session, { outbox: slow });
  told.connection.send("r", "3");
  await eventually("all are stored", () => g.world.texts("r").length === 3);
  expect(g.world.texts("r")).toEqual(["1", "2", "3"]);
});

test("a logout empties the outbox of what closed tabs left, too", async () => {
  const g = await Gateway.start();
  const outbox = memoryOutbox();
  const session = await login([g]);
  const told = await connect(session, { outbox });
  const left = { room_id: "r", text: "private", created_at: "2026-01-02T03:04:05.678Z", status: "failed" } as const;
  await outbox.put("me", { ...left, client_id: "c", owner: "closed since" });
  await session.logout();
  await told.state("closed");
  await eventually("nothing is kept", async () => (await outbox.all("me")).length === 0);
});

/* eslint-disable @typescript-eslint/require-await -- promises are the platform's shape here */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { memoryOutbox } from "./index.js";
import { Emitter } from "./emitter.js";
import { Gateway } from "./testing/gateway.js";
import { connect, eventually, login, open } from "./testing/visitor.js";

const hour = 3_600_000;
// What a browser has beside the rest: a page that is told of its network and
// of being looked at, and locks that tabs share.
let page: EventTarget;

beforeEach(() => {
  page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
});
afterEach(() => vi.unstubAllGlobals());

function network(there: boolean) {
  vi.stubGlobal("navigator", { onLine: there });
  page.dispatchEvent(new Event(there ? "online" : "offline"));
}

test("offline is told, and ends at once when there is a network again", async () => {
  const g = await Gateway.start();
  g.world.room("r");
  const told = await connect(await login([g]), { timing: { offline: hour } });
  network(false);
  await told.state("offline");
  told.connection.send("r", "typed meanwhile");
  network(true);
  await told.follow("r", 1, 1);
  expect(told.of("state").at(-1)).toBe("connected");
});

test("a page that is looked at again does not wait, and finds out whether its connection lives", async () => {
  const g = await Gateway.start();
  const told = await connect(await login([g]), { timing: { check: 30 } });
  g.answer = (_, f) => f.op === "ping";
  page.dispatchEvent(new Event("pageshow"));
  await told.ready(2);
});

test("what a closed tab leaves behind is sent by another, and by one only", async () => {
  vi.stubGlobal("navigator", { onLine: true, locks: locks() });
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

/** locks is as much of the Web Locks API as is used. */
function locks() {
  const queues = new Map<string, Promise<unknown>>();
  return {
    request(name: string, options: unknown, f?: () => Promise<unknown>) {
      const act = f ?? (options as () => Promise<unknown>);
      const signal = f && (options as { signal?: AbortSignal }).signal;
      const before = queues.get(name);
      const turn = (async () => {
        await before?.catch(() => undefined);
        if (signal?.aborted) throw new Error("aborted");
        return act();
      })();
      queues.set(name, turn);
      return turn;
    },
  };
}

test("a listener that throws keeps nobody else from being told", async () => {
  const thrown: (() => void)[] = [];
  vi.stubGlobal("queueMicrotask", (f: () => void) => thrown.push(f));
  const events = new Emitter<{ told: number }>();
  const heard: number[] = [];
  events.on("told", () => {
    throw new Error("of a listener");
  });
  const remove = events.on("told", (n) => heard.push(n));
  events.emit("told", 1);
  remove();
  events.emit("told", 2);
  expect(heard).toEqual([1]);
  expect(thrown[0]).toThrow("of a listener");
});

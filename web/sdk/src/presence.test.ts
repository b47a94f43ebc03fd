import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Emitter } from "./emitter.js";
import { Gateway } from "./testing/gateway.js";
import { connect, login } from "./testing/visitor.js";

const hour = 3_600_000;
// What a browser has beside the rest: a page that is told of its network and
// of being looked at.
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

test("a listener that throws keeps nobody else from being told", () => {
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

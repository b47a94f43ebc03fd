import { describe, expect, test } from "vitest";
import { memoryCursors } from "./index.js";
import { Gateway } from "./testing/gateway.js";
import { connect, dice, eventually, login, open } from "./testing/visitor.js";

const hour = 3_600_000;

describe("messages of a room", () => {
  test("what is known is dropped", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    const [one, two] = [g.world.append("r", "1"), g.world.append("r", "2")];
    for (const m of [one, one, two, one, two, g.world.append("r", "3")]) g.push("message", m);
    await told.follow("r", 1, 3);
  });

  test("what is early waits for what is late", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]), { timing: { hold: hour } });
    const [one, two, three] = [1, 2, 3].map((n) => g.world.append("r", String(n)));
    for (const m of [three, two, one]) g.push("message", m);
    await told.follow("r", 1, 3);
    expect(g.asked("messages.get")).toEqual([]);
  });

  test("a gap is fetched, page by page", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    for (let n = 1; n < 450; n++) g.world.append("r", String(n));
    g.tell("r", "last");
    await told.follow("r", 1, 450);
    expect(g.asked("messages.get").length).toBeGreaterThanOrEqual(3);
  });

  test("an announced head is fetched", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    g.world.append("r", "told by nobody");
    g.push("room.head", { room_id: "r", last_seq: 1 });
    await told.follow("r", 1, 1);
  });

  test("a head that can't be read yet is asked for again", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    g.push("room.head", { room_id: "r", last_seq: 1 });
    await eventually("it is asked for", () => g.asked("messages.get").length === 1);
    g.world.append("r", "late");
    await told.follow("r", 1, 1);
  });

  test("a fetch that is refused for now is made again", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    g.answer = (peer, f) => {
      if (f.op !== "messages.get") return false;
      g.answer = undefined;
      peer.refuse(f, "resource_exhausted", { retry_after_ms: 5 });
      return true;
    };
    g.world.append("r", "1");
    g.push("room.head", { room_id: "r", last_seq: 1 });
    await told.follow("r", 1, 1);
  });

  test("a push that overtakes the welcome is not lost", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    g.answer = (peer, f) => {
      if (f.op !== "auth") return false;
      const heads = g.world.heads();
      peer.push("message", g.world.append("r", "sent just then"));
      g.welcome(peer, f, heads);
      return true;
    };
    const told = await connect(await login([g]), { timing: { hold: hour } });
    await told.follow("r", 1, 1);
  });
});

describe("a message that is removed before it is handed on", () => {
  const removal = { room_id: "r", seq: 2, removed_by: "someone", removed_at: "2026-01-02T03:04:06.789Z" };
  const tombstone = { seq: 2, type: "removed", content: {}, removed_by: "someone", removed_at: removal.removed_at };

  test("comes as its tombstone, when it was early", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]), { timing: { hold: hour } });
    const [one, two] = [g.world.append("r", "1"), g.world.append("r", "regretted")];
    g.push("message", two);
    g.push("message.removed", removal);
    g.push("message", one);
    await told.follow("r", 1, 2);
    expect(told.messages[1]).toMatchObject(tombstone);
    expect(told.of("message.removed")).toEqual([removal]);
  });

  test("comes as its tombstone, when it was being fetched", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    g.world.append("r", "1");
    g.world.append("r", "regretted");
    g.answer = (peer, f) => {
      if (f.op === "messages.get") peer.push("message.removed", removal);
      return false; // the page was read before
    };
    g.push("room.head", { room_id: "r", last_seq: 2 });
    await told.follow("r", 1, 2);
    expect(told.messages[1]).toMatchObject(tombstone);
  });

  test("is found by its removal, when nothing else was told of it", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    g.world.append("r", "1");
    g.world.append("r", "regretted");
    g.push("message.removed", removal);
    await told.follow("r", 1, 2);
    expect(told.messages[1]).toMatchObject(tombstone);
  });
});

describe("where a room begins", () => {
  test("behind what was there, and at the first of one that is new", async () => {
    const g = await Gateway.start();
    g.world.append("old", "1");
    const told = await connect(await login([g]));
    g.world.append("new", "1");
    g.world.append("new", "2");
    g.world.room("new").first = 2;
    g.push("room.created", { room: g.world.describe("new") });
    await told.follow("new", 2, 2);
    g.tell("old", "2");
    await told.follow("old", 2, 2);
    expect(told.of("room.created").map((room) => room.id)).toEqual(["new"]);
  });

  test("not further back than a hundred, when it is new and long", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    for (let n = 1; n <= 1000; n++) g.world.append("long", String(n));
    g.push("room.created", { room: g.world.describe("long") });
    await told.follow("long", 901, 1000);
  });

  test("a room that nobody has told of is found by its message, and lists are read again", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    const before = told.of("resync").length;
    g.world.append("r", "lost");
    g.tell("r", "2");
    await told.follow("r", 1, 2);
    expect(told.of("resync").length).toBe(before + 1);
  });

  test("who joins again gets nothing of what was between, and nothing twice", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    g.tell("r", "1");
    await told.follow("r", 1, 1);
    g.world.room("r").closed = true;
    g.push("member.left", { room_id: "r", user_id: "me" });
    await eventually("it is told", () => told.of("member.left").length === 1);
    g.world.append("r", "2");
    g.world.append("r", "3");
    Object.assign(g.world.room("r"), { closed: false, first: 4 });
    // The news of joining is lost, and that of leaving is told again, late.
    g.tell("r", "4");
    await eventually("it has come", () => told.seqs("r").includes(4));
    g.push("member.left", { room_id: "r", user_id: "me" });
    await eventually("it is told again", () => told.of("member.left").length === 2);
    g.push("message", g.world.room("r").messages[3]);
    g.tell("r", "5");
    await eventually("the next has come", () => told.seqs("r").includes(5));
    expect(told.seqs("r")).toEqual([1, 4, 5]);
  });

  test("a room that was left is not asked for", async () => {
    const g = await Gateway.start();
    g.world.room("r").closed = true;
    g.world.room("s");
    const told = await connect(await login([g]));
    g.push("room.head", { room_id: "r", last_seq: 9 });
    await eventually("it is refused", () => g.asked("messages.get").length === 1);
    g.tell("s", "1");
    await told.follow("s", 1, 1);
    expect(g.asked("messages.get").length).toBe(1);
  });
});

describe("cursors", () => {
  test("the next visit goes on from there", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const session = await login([g]);
    const cursors = memoryCursors();
    const first = await connect(session, { cursors });
    g.tell("r", "1");
    g.tell("r", "2");
    await first.follow("r", 1, 2);
    first.connection.close();
    await eventually("it is saved", async () => (await cursors.load("me"))["r"] === 2);
    g.world.append("r", "3");
    const second = await connect(session, { cursors });
    await second.follow("r", 3, 3);
  });

  test("never are ahead of what was handed on", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const session = await login([g]);
    const cursors = memoryCursors();
    const told = open(session, { cursors });
    // Whoever is handed the first dies of it.
    told.connection.on("message", () => told.connection.close());
    await told.ready();
    g.world.append("r", "1");
    g.world.append("r", "2");
    g.push("room.head", { room_id: "r", last_seq: 2 });
    await told.state("closed");
    expect(told.seqs("r")).toEqual([1]);
    await eventually("it is saved", async () => (await cursors.load("me"))["r"] === 1);
    const next = await connect(session, { cursors });
    await next.follow("r", 2, 2);
  });
});

test("any delivery becomes each message once and in order", async () => {
  const g = await Gateway.start();
  const random = dice(20261126);
  const rooms = ["a", "b", "c"];
  rooms.forEach((room) => g.world.room(room));
  const told = await connect(await login([g]));
  for (let n = 1; n <= 400; n++) {
    const room = rooms[Math.floor(random() * 3)] ?? "a";
    const m = g.world.append(room, String(n));
    const chance = random();
    if (chance < 0.2) continue; // lost
    if (chance < 0.3) g.push("message", m); // twice
    if (chance < 0.5)
      setTimeout(() => g.push("message", m), random() * 20); // late
    else g.push("message", m);
    if (random() < 0.02) g.closeAll(1012);
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually("it is connected", () => g.peers.size > 0);
  for (const room of rooms) {
    const last = g.world.room(room).messages.length;
    g.push("room.head", { room_id: room, last_seq: last });
    await told.follow(room, 1, last);
  }
});

import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Gateway } from "./testing/gateway.js";
import { World } from "./testing/world.js";
import { connect, eventually, login, open } from "./testing/visitor.js";

const hour = 3_600_000;

describe("a connection that is lost", () => {
  test.each([
    ["a restart", 1012],
    ["going away", 1001],
    ["being too slow", 4408],
    ["being too fast", 4429],
    ["a crash", 1011],
  ])("is made again after %s, and nothing is missed", async (_, code) => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    g.closeAll(code);
    await told.state("reconnecting");
    g.world.append("r", "told by nobody");
    await told.ready(2);
    await told.follow("r", 1, 1);
    expect(told.of("state")).toEqual(["connected", "reconnecting", "connected"]);
    expect(told.of("resync").length).toBe(2);
  });

  test("is made again when the gateway is back", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    const { port } = g;
    await g.stop();
    await told.state("reconnecting");
    told.connection.send("r", "typed meanwhile");
    await Gateway.start(g.world, port);
    await told.follow("r", 1, 1);
  });

  test("is made to another gateway", async () => {
    const world = new World();
    const [one, two] = [await Gateway.start(world), await Gateway.start(world)];
    const told = await connect(await login([one, two]));
    const used = one.peers.size ? one : two;
    await used.stop();
    await told.ready(2);
    expect((used === one ? two : one).peers.size).toBe(1);
  });

  test("is not made again after a code from 4500 on", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    const ended: string[] = [];
    session.on("ended", (why) => ended.push(why));
    const told = await connect(session);
    g.closeAll(4500);
    await told.state("closed");
    expect(g.connects).toBe(1);
    expect(ended).toEqual([]);
    await expect(told.connection.history("r")).rejects.toMatchObject({ code: "unavailable" });
  });

  test("is not asked for again and again by a gateway that closes at once", async () => {
    const g = await Gateway.start();
    g.answer = (peer) => {
      peer.ws.close(1012);
      return true;
    };
    // All pauses are the longest that they may be: 100, 200, 400 ms, …
    const told = open(await login([g]), { random: () => 0.999, timing: { backoff: 10_000 } });
    const began = performance.now();
    await eventually("it has asked four times", () => g.connects === 4);
    expect(performance.now() - began).toBeGreaterThan(650);
    expect(told.connection.state).toBe("connecting");
  });

  test("is made at once when someone asks for it", async () => {
    const g = await Gateway.start();
    g.refuse = () => true;
    const told = open(await login([g]), { random: () => 0.999, timing: { backoff: hour } });
    // Each pause is twice as long as the one before: soon they are too long for this test.
    for (let n = 1; n <= 12; n++) {
      await eventually("it has asked", () => g.connects >= n);
      told.connection.reconnect();
    }
    g.refuse = undefined;
    await eventually("it is connected", () => {
      told.connection.reconnect();
      return told.connection.state === "connected";
    });
  });

  test("is not made at once because someone asked for the one before", async () => {
    const g = await Gateway.start();
    g.answer = (peer, f) => {
      g.answer = undefined;
      told.connection.reconnect(); // while it is being made
      g.welcome(peer, f);
      return true;
    };
    const told = open(await login([g]), { random: () => 0.999, timing: { backoff: hour } });
    await told.ready();
    g.closeAll(4429); // too fast: no sooner than after a second
    const began = performance.now();
    await told.ready(2);
    expect(performance.now() - began).toBeGreaterThan(900);
  });

  test("that the browser refuses to make is tried again, and is no exception", async () => {
    const g = await Gateway.start();
    let tries = 0;
    const insecure = class extends WebSocket {
      constructor(url: string) {
        if (++tries < 3) throw new Error("SecurityError");
        super(url);
      }
    };
    await connect(await login([g]), { webSocket: insecure });
    expect(tries).toBe(3);
  });

  test("leaves when the gateway asks for it and does not close", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    g.push("server.draining", { reconnect_after_ms: 1 });
    await told.ready(2);
  });

  test("and what can't be understood is no gateway", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    for (const peer of g.peers) peer.ws.send("<html>");
    await told.ready(2);
  });
});

describe("a connection that is silent", () => {
  test("is asked for a sign of life, and kept when there is one", async () => {
    const g = await Gateway.start();
    g.heartbeat = 20;
    const told = await connect(await login([g]));
    await eventually("it is asked three times", () => g.asked("ping").length >= 3);
    expect(told.of("state")).toEqual(["connected"]);
  });

  test("is given up when there is none", async () => {
    const g = await Gateway.start();
    g.heartbeat = 20;
    g.answer = (_, f) => f.op === "ping";
    const told = await connect(await login([g]), { timing: { reply: 50 } });
    await told.ready(2);
    expect(g.connects).toBeGreaterThan(1);
  });

  test("is given up when it tells news and answers nothing", async () => {
    const g = await Gateway.start();
    g.heartbeat = 20;
    g.world.room("r");
    g.answer = (_, f) => f.op === "message.send";
    const told = await connect(await login([g]), { timing: { reply: 50 } });
    const news = setInterval(() => g.tell("r", "news"), 5);
    told.connection.send("r", "hello");
    await told.ready(2).finally(() => clearInterval(news));
  });

  test("is given up when it never becomes ready", async () => {
    const g = await Gateway.start();
    g.answer = (_, f) => f.op === "auth" && g.connects === 1;
    await connect(await login([g]), { timing: { open: 50 } });
    expect(g.connects).toBeGreaterThan(1); // on a slow machine the next one may not be ready in time either
  });
});

test("all pushes are passed on as they come", async () => {
  const g = await Gateway.start();
  g.world.room("r");
  const told = await connect(await login([g]));
  const pushes = {
    "message.removed": { room_id: "r", seq: 1, removed_by: "someone", removed_at: "2026-01-02T03:04:05.678Z" },
    "room.read": { room_id: "r", user_id: "someone", seq: 1 },
    "room.reads": { room_id: "r", reads: [{ user_id: "someone", seq: 1 }] },
    "room.updated": { room_id: "r", name: "tea", closed: false, rev: 2 },
    "member.joined": { room_id: "r", members: [], by: "someone", member_count: 3, rev: 3 },
    "member.left": { room_id: "r", user_id: "someone", by: "someone", member_count: 2, rev: 4 },
    "friend.added": { user: { id: "someone" }, room_id: "r", since: "2026-01-02T03:04:05.678Z", rev: 1 },
    "friend.removed": { user_id: "someone", room_id: "r", rev: 2 },
    "user.disabled": { room_id: "r", user_id: "someone", disabled: true },
    "room.disbanded": { room_id: "r", rev: 5 },
  } as const;
  g.push("of a newer gateway", {});
  for (const [op, data] of Object.entries(pushes)) g.push(op, data);
  await eventually("all have come", () => told.of("room.disbanded").length === 1);
  for (const op of Object.keys(pushes) as (keyof typeof pushes)[]) expect(told.of(op)).toEqual([pushes[op]]);
});

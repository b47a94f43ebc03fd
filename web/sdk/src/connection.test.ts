import { describe, expect, test } from "vitest";
import { Gateway } from "./testing/gateway.js";
import { World } from "./testing/world.js";
import { connect, eventually, login, open } from "./testing/visitor.js";

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
    const hour = 3_600_000;
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

describe("a token", () => {
  test("that runs out is renewed on the live connection", async () => {
    const g = await Gateway.start();
    g.world.lifetime = 1;
    const told = await connect(await login([g]));
    await eventually("it is renewed twice", () => g.world.auths.length >= 3);
    expect(new Set(g.world.auths).size).toBe(g.world.auths.length);
    expect(g.connects).toBe(1);
    expect(told.of("state")).toEqual(["connected"]);
  });

  test("that does not get through is sent again, and not renewed", async () => {
    const g = await Gateway.start();
    g.world.lifetime = 3;
    const refused: string[] = [];
    await connect(await login([g]));
    g.answer = (peer, f) => {
      if (f.op !== "auth" || refused.length === 1) return false;
      refused.push(f.data.token);
      peer.refuse(f, "unavailable");
      return true;
    };
    await eventually("it gets through", () => g.world.auths.length >= 2);
    expect(g.world.auths[1]).toBe(refused[0]);
    expect(g.world.refreshes).toBe(1);
  });

  test("that is refused is replaced", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    g.world.expire();
    await connect(session);
    expect(g.world.auths.length).toBe(2);
    expect(g.world.refreshes).toBe(1);
  });

  test("is replaced after 4401", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    g.closeAll(4401);
    await told.ready(2);
    expect(g.world.refreshes).toBe(1);
  });

  test("that is refused in the middle is replaced, and what was asked is asked again", async () => {
    const g = await Gateway.start();
    g.world.append("r", "1");
    const told = await connect(await login([g]));
    let refusals = 0;
    g.answer = (peer, f) => {
      if (f.op === "auth" || ++refusals > 1) return false;
      peer.refuse(f, "unauthenticated");
      return true;
    };
    told.connection.send("r", "2");
    await told.follow("r", 2, 2);
    refusals = 0;
    expect((await told.connection.history("r")).items.map((m) => m.seq)).toEqual([2, 1]);
    expect(told.of("outgoing").map((o) => o.status)).toEqual(["sent"]);
  });
});

describe("the end of the session", () => {
  test.each([
    ["logout", "logout"],
    ["password", "revoked"],
    ["revoked", "revoked"],
  ])("by %s, told by a push, ends the connection as %s", async (reason, why) => {
    const g = await Gateway.start();
    const session = await login([g]);
    const ended: string[] = [];
    session.on("ended", (w) => ended.push(w));
    const told = await connect(session);
    g.push("session.revoked", { session_id: "another", reason, until: "2026-01-02T03:04:05.678Z" });
    g.push("session.revoked", { session_id: "session", reason, until: "2026-01-02T03:04:05.678Z" });
    await told.state("closed");
    expect(told.of("session.revoked").length).toBe(2);
    expect(ended).toEqual([why]);
    await expect(session.accessToken()).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("told by the close code ends it", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    const ended: string[] = [];
    session.on("ended", (why) => ended.push(why));
    const told = await connect(session);
    g.closeAll(4503);
    await told.state("closed");
    expect(ended).toEqual(["revoked"]);
  });

  test("that happened meanwhile is noticed at the next connect", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    const ended: string[] = [];
    session.on("ended", (why) => ended.push(why));
    g.world.ended = true;
    const told = open(session);
    await told.state("closed");
    expect(ended).toEqual(["revoked"]);
    expect(g.connects).toBe(1);
  });
});

describe("calls", () => {
  test("history is read over the socket", async () => {
    const g = await Gateway.start();
    for (let n = 1; n <= 5; n++) g.world.append("r", String(n));
    const told = await connect(await login([g]));
    const page = await told.connection.history("r", { before_seq: 5, limit: 2 });
    expect(page.items.map((m) => m.seq)).toEqual([4, 3]);
    expect(page.has_more).toBe(true);
  });

  test("wait for a connection, and go on after it was lost", async () => {
    const g = await Gateway.start();
    g.world.append("r", "1");
    const told = open(await login([g]));
    g.answer = (peer, f) => {
      if (f.op !== "messages.get" || g.connects > 1) return false;
      peer.ws.terminate();
      return true;
    };
    expect((await told.connection.history("r")).items.length).toBe(1);
    expect(g.connects).toBe(2);
  });

  test("end when there is no connection in time, or it is closed", async () => {
    const g = await Gateway.start();
    g.refuse = () => true;
    const session = await login([g]);
    const slow = open(session, { timing: { call: 20 } });
    await expect(slow.connection.history("r")).rejects.toMatchObject({ code: "unavailable" });
    const closed = open(session);
    const waiting = closed.connection.removeMessage("r", 1);
    closed.connection.close();
    await expect(waiting).rejects.toMatchObject({ code: "unavailable" });
    expect(closed.of("state")).toEqual(["closed"]);
  });

  test("say why they are refused", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    g.answer = (peer, f) => {
      peer.refuse(f, "failed_precondition", { errors: [{ field: "seq", detail: "is too old" }] });
      return true;
    };
    await expect(told.connection.removeMessage("r", 1)).rejects.toMatchObject({
      code: "failed_precondition",
      fields: [{ field: "seq", detail: "is too old" }],
    });
  });

  test("of read positions only the furthest is sent, once there is a connection", async () => {
    const g = await Gateway.start();
    const told = open(await login([g]));
    for (const seq of [3, 9, 5]) told.connection.setRead("r", seq);
    await told.ready();
    await eventually("it is sent", () => g.asked("read.set").length === 1);
    g.answer = (peer, f) => {
      if (f.op !== "read.set") return false;
      peer.refuse(f, "not_found");
      return true;
    };
    told.connection.setRead("s", 1);
    await eventually("it is refused, and nobody is told", () => g.asked("read.set").length === 2);
    expect(g.asked("read.set").map((f) => [f.data.room_id, f.data.seq])).toEqual([
      ["r", 9],
      ["s", 1],
    ]);
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
    "room.disbanded": { room_id: "r", rev: 5 },
  } as const;
  g.push("of a newer gateway", {});
  for (const [op, data] of Object.entries(pushes)) g.push(op, data);
  await eventually("all have come", () => told.of("room.disbanded").length === 1);
  for (const op of Object.keys(pushes) as (keyof typeof pushes)[]) expect(told.of(op)).toEqual([pushes[op]]);
});

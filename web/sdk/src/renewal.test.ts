import { describe, expect, test } from "vitest";
import { answer, Gateway, problem } from "./testing/gateway.js";
import { connect, eventually, login, open } from "./testing/visitor.js";

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

  test("that another call renewed while the connection was made is put on it", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    g.answerHttp = (request, response) => {
      if (!request.url?.endsWith("/users/me")) return false;
      g.answerHttp = undefined;
      problem(response, 401, "unauthenticated");
      return true;
    };
    g.answer = (peer, f) => {
      g.answer = undefined;
      void session.me().then(() => g.welcome(peer, f));
      return true;
    };
    await connect(session);
    await eventually("it is renewed", () => g.world.auths.length === 2);
    expect(g.world.auths[1]).toBe(await session.accessToken());
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

  test("by a logout is one, though the connection is closed before that is answered", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    const ended: string[] = [];
    session.on("ended", (why) => ended.push(why));
    const told = await connect(session);
    g.answerHttp = (_, response) => {
      g.closeAll(4503);
      void told.state("closed").then(() => answer(response, 204));
      return true;
    };
    await session.logout();
    expect(ended).toEqual(["logout"]);
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

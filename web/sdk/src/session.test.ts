import { describe, expect, onTestFinished, test, vi } from "vitest";
import { memorySessionStore, Parley, type SessionStore } from "./index.js";
import { answer, Gateway, problem } from "./testing/gateway.js";
import { login, parley } from "./testing/visitor.js";
import { World } from "./testing/world.js";

/** tabs are two sessions over one store, as two tabs of a browser have them. */
async function tabs(g: Gateway, store: SessionStore = memorySessionStore()) {
  const one = await login([g], { store });
  const two = await parley([g], { store }).resume();
  if (!two) throw new Error("nothing was kept");
  return [one, two] as const;
}

describe("a session", () => {
  test("is resumed without the server, until it has ended", async () => {
    const g = await Gateway.start();
    const store = memorySessionStore();
    expect(await parley([g], { store }).resume()).toBeNull();
    const session = await login([g], { store });
    await g.stop();
    const resumed = await parley([g], { store }).resume();
    expect(resumed).toMatchObject({ userId: "me", sessionId: "session", user: { nickname: "Ann" } });
    await session.logout(); // though nobody can be told
    expect(await parley([g], { store }).resume()).toBeNull();
    await expect(session.me()).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("renews its token when little life is left", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    const first = await session.accessToken();
    expect(await session.accessToken()).toBe(first);
    g.world.lifetime = 0;
    const spent = await login([g]);
    g.world.lifetime = 900;
    expect(await spent.accessToken()).not.toBe(first);
    expect(g.world.refreshes).toBe(1);
  });

  test("makes a call again with another token when the first is refused", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    g.world.expire();
    expect((await session.me()).account).toBe("ann");
    expect(g.world.refreshes).toBe(1);
  });

  test("renews once, though many ask, in two tabs", async () => {
    const g = await Gateway.start();
    const [one, two] = await tabs(g);
    g.world.expire();
    await Promise.all([one.me(), two.me(), one.me(), two.me()]);
    expect(g.world.refreshes).toBe(1);
    expect(await one.accessToken()).toBe(await two.accessToken());
  });

  test("survives a refresh whose answer is lost", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    g.world.expire();
    g.answerHttp = (request, response, body) => {
      if (!request.url?.endsWith("/auth/refresh")) return false;
      g.world.refresh((JSON.parse(body) as { refresh_token: string }).refresh_token);
      response.destroy();
      return true;
    };
    await expect(session.me()).rejects.toMatchObject({ code: "unavailable" });
    g.answerHttp = undefined;
    expect((await session.me()).account).toBe("ann");
    expect(g.world.refreshes).toBe(2);
  });

  test("takes what another tab got, where tabs can't lock", async () => {
    const g = await Gateway.start();
    const store = memorySessionStore();
    const [one] = await tabs(g, store);
    g.world.expire();
    const kept = await store.load();
    g.answerHttp = (request, response) => {
      if (!request.url?.endsWith("/auth/refresh") || !kept) return false;
      g.answerHttp = undefined;
      const grant = g.world.grant(); // to the other tab, just then
      const { access_token, refresh_token } = grant;
      void store.save({ ...kept, access_token, refresh_token }).then(() => problem(response, 401, "unauthenticated"));
      return true;
    };
    expect((await one.me()).account).toBe("ann");
    expect(g.world.refreshes).toBe(0);
  });

  test("that can't be renewed has expired", async () => {
    const g = await Gateway.start();
    const store = memorySessionStore();
    const [one] = await tabs(g, store);
    const ended: string[] = [];
    one.on("ended", (why) => ended.push(why));
    g.world.ended = true;
    await expect(one.me()).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(one.me()).rejects.toMatchObject({ code: "unauthenticated" });
    expect(ended).toEqual(["expired"]);
    expect(await store.load()).toBeNull();
  });

  test("ends with a logout in another tab, and leaves the next one alone", async () => {
    const g = await Gateway.start();
    const store = memorySessionStore();
    const [one, two] = await tabs(g, store);
    const ended: string[] = [];
    two.on("ended", (why) => ended.push(why));
    await one.logout();
    const kept = { user_id: "you", session_id: "next", user: null, refresh_token: "x", access_token: "y" };
    await store.save({ ...kept, expires_at: 0, lifetime_ms: 0 });
    g.world.expire();
    await expect(two.me()).rejects.toMatchObject({ code: "unauthenticated" });
    expect(ended).toEqual(["logout"]);
    expect((await store.load())?.session_id).toBe("next");
  });

  test("that ended while it was renewed leaves the store to the next one", async () => {
    const g = await Gateway.start();
    const store = memorySessionStore();
    const [one, two] = await tabs(g, store);
    let refused = false;
    g.answerHttp = (request, response) => {
      if (request.url?.endsWith("/users/me") && !refused) {
        refused = true;
        problem(response, 401, "unauthenticated");
        return true;
      }
      if (!request.url?.endsWith("/auth/refresh")) return false;
      const grant = g.world.grant();
      void one
        .logout()
        .then(() => store.save({ ...next, expires_at: 0, lifetime_ms: 0 }))
        .then(() => answer(response, 200, grant));
      return true;
    };
    const next = { user_id: "you", session_id: "next", user: null, refresh_token: "x", access_token: "y" };
    await expect(two.me()).rejects.toMatchObject({ code: "unauthenticated" });
    expect((await store.load())?.session_id).toBe("next");
  });

  test("is renewed though the browser forbids locks, as it may with storage", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    g.world.expire();
    vi.stubGlobal("navigator", { locks: { request: () => Promise.reject(new Error("SecurityError")) } });
    onTestFinished(() => void vi.unstubAllGlobals());
    expect((await session.me()).account).toBe("ann");
  });
});

describe("calls of HTTP", () => {
  test("go to another gateway when one can't be reached", async () => {
    const world = new World();
    const [gone, here] = [await Gateway.start(world), await Gateway.start(world)];
    const session = await login([gone, here]);
    await gone.stop();
    expect((await session.me()).account).toBe("ann");
  });

  test("that may have been carried out are not repeated", async () => {
    const world = new World();
    const [one, two] = [await Gateway.start(world), await Gateway.start(world)];
    const session = await login([one, two]);
    let asked = 0;
    one.answerHttp = two.answerHttp = (_, response) => {
      asked++;
      response.destroy();
      return true;
    };
    await expect(session.addFriend({ account: "bob" })).rejects.toMatchObject({ code: "unavailable" });
    expect(asked).toBe(1);
    await expect(session.createRoom({ name: "tea" })).rejects.toMatchObject({ code: "unavailable" });
    expect(asked).toBe(3); // its client_id makes that harmless
  });

  test("say what was wrong", async () => {
    const g = await Gateway.start();
    g.answerHttp = (_, response) => {
      problem(response, 429, "resource_exhausted", { errors: [{ field: "email", detail: "is not one" }] });
      return true;
    };
    await expect(parley([g]).requestCode("x", "register")).rejects.toMatchObject({
      code: "resource_exhausted",
      status: 429,
      retryAfterMs: 2000,
      requestId: "r1",
      fields: [{ field: "email", detail: "is not one" }],
    });
  });

  test("take the answer of something else for unavailable", async () => {
    const g = await Gateway.start();
    g.answerHttp = (_, response) => {
      response.writeHead(502).end("<html>");
      return true;
    };
    await expect(login([g])).rejects.toMatchObject({ code: "unavailable", status: 502 });
    g.answerHttp = (_, response) => {
      response.writeHead(200).end("<html>");
      return true;
    };
    await expect(login([g])).rejects.toMatchObject({ code: "unavailable", status: 200 });
    g.answerHttp = (_, response) => {
      response.writeHead(200).end();
      return true;
    };
    await expect(login([g])).rejects.toMatchObject({ code: "unavailable", status: 200 });
  });

  test("find nobody, and list all devices", async () => {
    const g = await Gateway.start();
    const session = await login([g]);
    expect(await session.findUser("nobody")).toBeNull();
    g.answerHttp = (request, response) => {
      const cursor = new URL(request.url ?? "", g.url).searchParams.get("cursor");
      answer(response, 200, { items: [{ id: cursor ?? "first" }], next_cursor: cursor ? "" : "second" });
      return true;
    };
    expect((await session.sessions()).map((s) => s.id)).toEqual(["first", "second"]);
  });

  test.each([[[]], ["127.0.0.1:8080"], ["ftp://127.0.0.1"], ["http://me@127.0.0.1"], ["http://127.0.0.1?token=x"]])(
    "refuse %j as a gateway",
    (urls) => {
      expect(() => new Parley({ urls })).toThrow(TypeError);
    },
  );
});

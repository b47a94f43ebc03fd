import { describe, expect, test } from "vitest";
import { memoryOutbox } from "./index.js";
import { Gateway, type Frame, type Peer } from "./testing/gateway.js";
import { connect, dice, eventually, login, open, type Told } from "./testing/visitor.js";

/** statuses lists what was told of one message. */
const statuses = (told: Told, clientId: string) =>
  told
    .of("outgoing")
    .filter((o) => o.client_id === clientId)
    .map((o) => o.status);

const count = (n: number) => Array.from({ length: n }, (_, i) => String(i + 1));

describe("a message", () => {
  test("is acknowledged with its seq, and leaves the outbox", async () => {
    const g = await Gateway.start();
    g.world.append("r", "before");
    const outbox = memoryOutbox();
    const told = await connect(await login([g]), { outbox });
    const o = told.connection.send("r", "hello");
    expect(o).toMatchObject({ room_id: "r", text: "hello", status: "sending" });
    expect(told.connection.outgoing("r")).toEqual([o]);
    expect(told.connection.outgoing("other")).toEqual([]);
    await eventually("it is sent", () => statuses(told, o.client_id).length === 1);
    expect(told.of("outgoing")).toEqual([{ ...o, status: "sent", seq: 2 }]);
    expect(told.connection.outgoing()).toEqual([]);
    await told.follow("r", 2, 2);
    await eventually("it is kept no more", async () => (await outbox.all("me")).length === 0);
  });

  test("that holds half of an emoji is mended before it is sent", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    const o = told.connection.send("r", "a\ud83d b\ude00 😀");
    expect(o.text).toBe("a\ufffd b\ufffd 😀");
    await told.follow("r", 1, 1);
    expect(g.world.texts("r")).toEqual([o.text]);
  });

  test("that is refused without its id has failed, and the next of its room goes", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    g.answer = (peer, f) => {
      if (f.op !== "message.send" || f.data.content.text !== "unreadable") return false;
      peer.refuse({ ...f, id: "" }, "invalid_argument");
      return true;
    };
    const told = await connect(await login([g]));
    const o = told.connection.send("r", "unreadable");
    told.connection.send("r", "next");
    await told.follow("r", 1, 1);
    expect(statuses(told, o.client_id)).toEqual(["failed"]);
    expect(g.world.texts("r")).toEqual(["next"]);
    expect(g.connects).toBe(1);
  });

  test("that comes back before it is acknowledged is settled by that", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    g.answer = (peer, f) => {
      if (f.op !== "message.send") return false;
      peer.push("message", g.world.append("r", f.data.content.text, f.data.client_id, "me"));
      return true; // and the reply never comes
    };
    const o = told.connection.send("r", "hello");
    await eventually("it is sent", () => statuses(told, o.client_id).length === 1);
    expect(told.of("outgoing")[0]).toMatchObject({ status: "sent", seq: 1 });
  });

  test("of somebody else with the same client_id settles nothing", async () => {
    const g = await Gateway.start();
    g.world.room("r");
    const told = await connect(await login([g]));
    g.answer = (peer, f) => {
      if (f.op !== "message.send") return false;
      peer.push("message", g.world.append("r", "not mine", f.data.client_id, "someone"));
      return true;
    };
    told.connection.send("r", "mine");
    await told.follow("r", 1, 1);
    expect(told.of("outgoing")).toEqual([]);
  });

  test("whose acknowledgement is lost with the connection is sent again, and stored once", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    g.answer = (peer, f) => {
      if (f.op !== "message.send") return false;
      g.answer = undefined;
      g.world.append("r", f.data.content.text, f.data.client_id, "me");
      peer.ws.terminate();
      return true;
    };
    const o = told.connection.send("r", "hello");
    await eventually("it is sent", () => statuses(told, o.client_id).includes("sent"));
    const sends = g.asked("message.send");
    expect(sends.length).toBeGreaterThanOrEqual(1);
    expect(new Set(sends.map((f) => f.data.client_id))).toEqual(new Set([o.client_id]));
    expect(g.world.texts("r")).toEqual(["hello"]);
  });

  test.each(["resource_exhausted", "unavailable", "deadline_exceeded", "internal"] as const)(
    "that is refused with %s is sent again",
    async (code) => {
      const g = await Gateway.start();
      const told = await connect(await login([g]));
      let refusals = 0;
      g.answer = (peer, f) => {
        if (f.op !== "message.send" || ++refusals > 3) return false;
        peer.refuse(f, code, { retry_after_ms: 1 });
        return true;
      };
      const o = told.connection.send("r", "hello");
      await eventually("it is sent", () => statuses(told, o.client_id).length > 0);
      expect(statuses(told, o.client_id)).toEqual(["sent"]);
      expect(new Set(g.asked("message.send").map((f) => f.data.client_id)).size).toBe(1);
      expect(refusals).toBe(4);
    },
  );

  test("on which the server always fails lets others go in the end", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    g.answer = (peer, f) => {
      if (f.op !== "message.send" || f.data.content.text !== "poison") return false;
      peer.refuse(f, "internal", { retry_after_ms: 1 });
      return true;
    };
    const poison = told.connection.send("r", "poison");
    told.connection.send("r", "next");
    await eventually("the next is sent", () => told.of("outgoing").some((o) => o.text === "next"));
    expect(statuses(told, poison.client_id)).toEqual(["failed"]);
  });

  test("that is too long for a frame is not sent at all", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    const o = told.connection.send("r", "x".repeat(70_000));
    await eventually("it fails", () => statuses(told, o.client_id).includes("failed"));
    expect(told.of("outgoing")[0]?.error).toMatchObject({ code: "invalid_argument" });
    expect(g.asked("message.send")).toEqual([]);
    expect(told.connection.state).toBe("connected");
  });
});

describe("a message that is refused for good", () => {
  const refuse = (peer: Peer, f: Frame) => {
    if (f.op !== "message.send") return false;
    peer.refuse(f, "failed_precondition");
    return true;
  };

  test("has failed, and goes again under its client_id when retried", async () => {
    const g = await Gateway.start();
    const outbox = memoryOutbox();
    const told = await connect(await login([g]), { outbox });
    g.answer = refuse;
    const o = told.connection.send("r", "hello");
    await eventually("it fails", () => statuses(told, o.client_id).includes("failed"));
    expect(told.connection.outgoing()[0]).toMatchObject({ status: "failed", error: { code: "failed_precondition" } });
    await eventually("that is kept", async () => (await outbox.all("me"))[0]?.status === "failed");
    g.answer = undefined;
    told.connection.retry(o.client_id);
    await eventually("it is sent", () => statuses(told, o.client_id).includes("sent"));
    expect(statuses(told, o.client_id)).toEqual(["failed", "sending", "sent"]);
    expect(g.asked("message.send").map((f) => f.data.client_id)).toEqual([o.client_id, o.client_id]);
    await eventually("it is kept no more", async () => (await outbox.all("me")).length === 0);
  });

  test("is kept all the time that it is retried, whenever the page ends", async () => {
    const g = await Gateway.start();
    const kept = memoryOutbox();
    let dead = false; // nothing that is asked of the store later gets there
    const outbox = {
      ...kept,
      put: (...row: Parameters<typeof kept.put>) => (dead ? new Promise<void>(() => {}) : kept.put(...row)),
    };
    const told = await connect(await login([g]), { outbox });
    g.answer = refuse;
    const o = told.connection.send("r", "hello");
    await eventually("that is kept", async () => (await kept.all("me"))[0]?.status === "failed");
    dead = true;
    g.answer = (_, f) => f.op === "message.send"; // and says nothing
    told.connection.retry(o.client_id);
    await eventually("it is on its way", () => g.asked("message.send").length === 2);
    expect((await kept.all("me")).map((x) => x.client_id)).toEqual([o.client_id]);
  });

  test("can be discarded; one that is on its way can not", async () => {
    const g = await Gateway.start();
    const outbox = memoryOutbox();
    const told = await connect(await login([g]), { outbox });
    g.answer = refuse;
    const failed = told.connection.send("r", "1");
    await eventually("it fails", () => statuses(told, failed.client_id).includes("failed"));
    told.connection.discard(failed.client_id);
    expect(told.connection.outgoing()).toEqual([]);
    g.answer = (_, f) => f.op === "message.send"; // and says nothing
    const sending = told.connection.send("r", "2");
    told.connection.discard(sending.client_id);
    told.connection.retry(sending.client_id);
    expect(told.connection.outgoing()).toEqual([sending]);
    await eventually("only that is kept", async () => (await outbox.all("me")).length === 1);
  });

  test("does not keep others of its room", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    g.answer = (peer, f) => f.data?.content?.text === "1" && refuse(peer, f);
    told.connection.send("r", "1");
    told.connection.send("r", "2");
    await eventually("the other is sent", () => g.world.texts("r").length === 1);
    expect(g.world.texts("r")).toEqual(["2"]);
  });

  test("is settled nevertheless when an earlier try has stored it", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    g.answer = refuse;
    const o = told.connection.send("r", "hello");
    await eventually("it fails", () => statuses(told, o.client_id).includes("failed"));
    g.push("message", g.world.append("r", "hello", o.client_id, "me"));
    await eventually("it is sent", () => statuses(told, o.client_id).includes("sent"));
    expect(told.connection.outgoing()).toEqual([]);
  });
});

describe("order in a room", () => {
  test("is that in which they were given, each sent once", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    for (const text of count(5)) told.connection.send("r", text);
    await eventually("all are acknowledged", () => told.connection.outgoing().length === 0);
    expect(g.asked("message.send").map((f) => f.data.content.text)).toEqual(count(5));
  });

  test("holds though the first is refused for a while", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    let refusals = 0;
    g.answer = (peer, f) => {
      if (f.data?.content?.text !== "1" || ++refusals > 4) return false;
      peer.refuse(f, "unavailable", { retry_after_ms: 2 });
      return true;
    };
    for (const text of count(5)) told.connection.send("r", text);
    told.connection.send("other", "does not wait");
    await eventually("the other room's is sent", () => g.world.texts("other").length === 1);
    await eventually("all are sent", () => g.world.texts("r").length === 5);
    expect(g.world.texts("r")).toEqual(count(5));
  });

  test("holds over connections that break all the time", async () => {
    const g = await Gateway.start();
    const random = dice(7);
    const rooms = ["a", "b"];
    rooms.forEach((room) => g.world.room(room));
    const told = await connect(await login([g]));
    g.answer = (peer, f) => {
      if (f.op !== "message.send") return false;
      const chance = random();
      if (chance < 0.1)
        peer.ws.terminate(); // not stored
      else if (chance < 0.2) {
        g.world.append(f.data.room_id, f.data.content.text, f.data.client_id, "me");
        peer.ws.terminate(); // stored, and not told
      } else if (chance < 0.4) peer.refuse(f, "unavailable", { retry_after_ms: 1 });
      else return false;
      return true;
    };
    const texts = count(60);
    for (const text of texts) rooms.forEach((room) => told.connection.send(room, text));
    for (const room of rooms) {
      await eventually("all are stored", () => g.world.texts(room).length === texts.length);
      expect(g.world.texts(room)).toEqual(texts);
    }
    await eventually("all are acknowledged", () => told.connection.outgoing().length === 0);
    expect(told.of("outgoing").every((o) => o.status === "sent")).toBe(true);
    for (const room of rooms) await told.follow(room, 1, texts.length);
  });

  test("holds for what was left by an earlier visit and failed, too", async () => {
    const g = await Gateway.start();
    const outbox = memoryOutbox();
    const session = await login([g]);
    g.refuse = () => true;
    const first = open(session, { outbox });
    const sent = count(3).map((text) => first.connection.send("r", text));
    await eventually("they are kept", async () => (await outbox.all("me")).length === 3);
    first.connection.close();
    g.refuse = undefined;
    const second = open(session, { outbox });
    second.connection.send("r", "4"); // before the others are known
    await eventually("all are stored", () => g.world.texts("r").length === 4);
    expect(g.world.texts("r")).toEqual(count(4));
    const told = second.of("outgoing").filter((o) => o.client_id === sent[0]?.client_id);
    expect(told.map((o) => o.status)).toEqual(["sending", "sent"]);
  });
});

test("after a logout the outbox is empty", async () => {
  const g = await Gateway.start();
  const outbox = memoryOutbox();
  const session = await login([g]);
  const told = await connect(session, { outbox });
  g.answer = (_, f) => f.op === "message.send"; // and says nothing
  told.connection.send("r", "private");
  await eventually("it is kept", async () => (await outbox.all("me")).length === 1);
  await session.logout();
  await told.state("closed");
  await eventually("it is kept no more", async () => (await outbox.all("me")).length === 0);
});

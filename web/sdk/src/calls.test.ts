import { describe, expect, test } from "vitest";
import { Gateway } from "./testing/gateway.js";
import { connect, eventually, login, open } from "./testing/visitor.js";

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

  test("a read position that met a spent token is sent again", async () => {
    const g = await Gateway.start();
    const told = await connect(await login([g]));
    let refusals = 0;
    g.answer = (peer, f) => {
      if (f.op !== "read.set" || ++refusals > 1) return false;
      peer.refuse(f, "unauthenticated");
      return true;
    };
    told.connection.setRead("r", 7);
    await eventually("it is sent", () => g.asked("read.set").length === 2);
    expect(g.connects).toBe(2);
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

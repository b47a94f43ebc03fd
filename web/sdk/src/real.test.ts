import { describe, expect, test } from "vitest";
import { program, register, system } from "./testing/system.js";
import { connect, eventually } from "./testing/visitor.js";

describe.skipIf(!program)("real processes", () => {
  test(
    "two talk while the gateway is killed: nothing is lost, doubled or out of order",
    { timeout: 60_000 },
    async () => {
      const parley = await system();
      const [ann, bob] = [await register(parley, "ann"), await register(parley, "bob")];
      const [anns, bobs] = [await connect(ann), await connect(bob)];
      const { room_id: room } = await ann.addFriend({ account: "bob" });
      await eventually(
        "both know the room",
        () => anns.of("room.created").length + bobs.of("room.created").length === 2,
      );
      const say = (from: number, to: number) => {
        for (let n = from; n <= to; n++) {
          anns.connection.send(room, `ann ${n}`);
          bobs.connection.send(room, `bob ${n}`);
        }
      };
      say(1, 20);
      await eventually("some have come", () => bobs.messages.length > 4);
      await parley.gateway.kill();
      await anns.state("reconnecting");
      say(21, 40); // nobody is there
      await parley.gateway.start();
      await anns.follow(room, 1, 80);
      await bobs.follow(room, 1, 80);
      expect(bobs.messages).toEqual(anns.messages);
      for (const who of ["ann", "bob"]) {
        const said = anns.messages.map((m) => m.content.text ?? "").filter((text) => text.startsWith(who));
        expect(said).toEqual(Array.from({ length: 40 }, (_, i) => `${who} ${i + 1}`));
      }
      await eventually(
        "all are acknowledged",
        () => !anns.connection.outgoing().length && !bobs.connection.outgoing().length,
      );
      const page = await bobs.connection.history(room, { limit: 2 });
      expect(page.items.map((m) => m.seq)).toEqual([80, 79]);
      await ann.logout();
      await anns.state("closed");
    },
  );
});

import { describe, expect, test } from "vitest";
import { head, me, message, minute, room } from "../test/made";
import * as book from "./roombook";

const three = book.withRooms(book.emptyBook, [
  room("a", { created_at: minute(3) }),
  room("b", { last_seq: 1, unread: 1, last_message: message(1, { room_id: "b", sent_at: minute(2) }) }),
  room("c", { created_at: minute(1) }),
]);
const said = (room_id: string, seq: number, at: number, sender_id = "bob") =>
  message(seq, { room_id, sent_at: minute(at), sender_id });

describe("order", () => {
  test("is by the latest activity: a message, or the room's beginning", () => {
    expect(three.order).toEqual(["a", "b", "c"]);
  });

  test("follows a message", () => {
    expect(book.withMessage(three, said("c", 1, 9), me).order).toEqual(["c", "a", "b"]);
  });

  test("puts a late message where its time belongs", () => {
    const after = book.withMessage(book.withMessage(three, said("a", 1, 20), me), said("c", 1, 10), me);
    expect(after.order).toEqual(["a", "c", "b"]);
  });

  test("takes a further page, with what is known already", () => {
    const more = book.withRooms(three, [room("d", { created_at: minute(0) }), room("c", { created_at: minute(1) })]);
    expect(more.order).toEqual(["a", "b", "c", "d"]);
  });
});

describe("unread", () => {
  test("is what is beyond the read position, and not what one may not read", () => {
    expect(book.unreadOf(head("a", 10, 4))).toBe(6);
    expect(book.unreadOf(head("a", 10, 0, 8))).toBe(3);
    expect(book.unreadOf(head("a", 10, 10))).toBe(0);
  });

  test("counts a message once, however often it comes", () => {
    const once = book.withMessage(three, said("a", 1, 9), me);
    expect(once.rooms.a!.unread).toBe(1);
    expect(book.withMessage(once, said("a", 1, 9), me)).toBe(once);
  });

  test("is nothing after one's own message", () => {
    const after = book.withMessage(three, said("b", 2, 9, me), me);
    expect([after.rooms.b!.unread, after.rooms.b!.read_seq]).toEqual([0, 2]);
  });

  test("never grows by a read position that comes late", () => {
    const read = book.withRead(book.withMessage(three, said("b", 2, 9), me), "b", 2);
    expect(read.rooms.b!.unread).toBe(0);
    expect(book.withRead(read, "b", 1)).toBe(read);
  });

  test("of all rooms counts those that no page brought", () => {
    const all = book.withHeads(three, [head("a", 0), head("b", 1), head("c", 0), head("far", 40, 38)]);
    expect(book.totalUnread(all)).toBe(3);
    expect(book.totalUnread(book.withMessage(all, said("far", 41, 9), me))).toBe(4);
  });
});

describe("what the server tells", () => {
  test("does not undo what was heard meanwhile", () => {
    const heard = book.withRead(book.withMessage(three, said("b", 2, 9), me), "b", 2);
    const told = room("b", { last_seq: 1, unread: 1, last_message: said("b", 1, 2) });
    const after = book.withRooms(heard, [told]);
    expect(after.rooms.b).toMatchObject({ last_seq: 2, read_seq: 2, unread: 0 });
    expect(after.rooms.b!.last_message!.seq).toBe(2);
  });

  test("takes away rooms that are no longer the user's", () => {
    const after = book.withHeads(three, [head("a", 0), head("c", 0)]);
    expect([after.order, after.rooms.b]).toEqual([["a", "c"], undefined]);
    expect(book.withoutRoom(after, "a").order).toEqual(["c"]);
  });

  test("changes what a room is", () => {
    expect(book.withPatch(three, "a", { name: "tea" }).rooms.a!.name).toBe("tea");
    expect(book.withPatch(three, "nowhere", { name: "tea" })).toBe(three);
  });

  test("removes the last message from the list, and no other", () => {
    const removal = { room_id: "b", seq: 1, removed_by: "bob", removed_at: minute(5) };
    expect(book.withRemoved(three, removal).rooms.b!.last_message!.type).toBe("removed");
    expect(book.withRemoved(three, { ...removal, seq: 9 })).toBe(three);
  });
});

import { describe, expect, test } from "vitest";
import { me, message, messages, minute, outgoing } from "../test/made";
import { readRow, rowsOf as rowsIn } from "./timeline";

const rowsOf = (held: Parameters<typeof rowsIn>[0]["messages"], ...rest: Tail) =>
  rowsIn({ messages: held, older: false }, ...rest);
type Tail = [Parameters<typeof rowsIn>[1], string, number | null];

const shape = (rows: ReturnType<typeof rowsOf>) =>
  rows.map((row) => (row.first ? "[" : "") + (row.message?.seq ?? row.outgoing!.client_id) + (row.last ? "]" : ""));

describe("grouping", () => {
  test("one sender within five minutes is a group", () => {
    const rows = rowsOf(messages(1, 3), [], me, null);
    expect(shape(rows)).toEqual(["[1", "2", "3]"]);
  });

  test("another sender, and more than five minutes, begin a new one", () => {
    const rows = rowsOf(
      [message(1), message(2, { sender_id: "cleo" }), message(3, { sender_id: "cleo", sent_at: minute(8) })],
      [],
      me,
      null,
    );
    expect(shape(rows)).toEqual(["[1]", "[2]", "[3]"]);
  });

  test("five minutes exactly still belong together", () => {
    expect(shape(rowsOf([message(1), message(2, { sent_at: minute(6) })], [], me, null))).toEqual(["[1", "2]"]);
  });

  test("a new day begins with its date, and a new group", () => {
    const late = new Date(2026, 0, 15, 23, 59).toISOString();
    const early = new Date(2026, 0, 16, 0, 1).toISOString();
    const rows = rowsOf([message(1, { sent_at: late }), message(2, { sent_at: early })], [], me, null);
    expect(rows.map((row) => row.day)).toEqual([true, true]);
    expect(shape(rows)).toEqual(["[1]", "[2]"]);
  });

  test("the line of what is new parts a group", () => {
    const rows = rowsOf(messages(1, 3), [], me, 2);
    expect(rows.map((row) => row.fresh)).toEqual([false, true, false]);
    expect(shape(rows)).toEqual(["[1]", "[2", "3]"]);
  });

  test("the first row stays as it is when older ones of its day and group come", () => {
    const before = rowsIn({ messages: messages(3, 4), older: true }, [], me, null);
    const after = rowsIn({ messages: messages(1, 4), older: false }, [], me, null);
    expect(before).toEqual(after.slice(2));
    expect(after[0]).toMatchObject({ day: true, first: true });
  });

  test("what is on its way is grouped with one's own messages", () => {
    const own = message(1, { sender_id: me, sent_at: minute(49) });
    expect(shape(rowsOf([own], [outgoing("a")], me, null))).toEqual(["[1", "a]"]);
  });
});

describe("what was written here", () => {
  test("stands behind the messages until it is one, and keeps its key", () => {
    const before = rowsOf(messages(1, 2), [outgoing("a"), outgoing("b")], me, null);
    const stored = message(3, { sender_id: me, client_id: "a" });
    const after = rowsOf([...messages(1, 2), stored], [outgoing("b")], me, null);
    expect(after.map((row) => row.key)).toEqual(before.map((row) => row.key));
  });

  test("is shown once while both are known", () => {
    const stored = message(1, { sender_id: me, client_id: "a" });
    expect(rowsOf([stored], [outgoing("a", { status: "sent", seq: 1 })], me, null)).toHaveLength(1);
  });

  test("is not taken for someone else's with the same client_id", () => {
    expect(rowsOf([message(1, { client_id: "a" })], [outgoing("a")], me, null)).toHaveLength(2);
  });
});

describe("read", () => {
  const own = { sender_id: me };
  const rows = rowsOf([message(1, own), message(2, own), message(3), message(4, own), message(5, own)], [], me, null);
  const keyOf = (seq: number) => rows[seq - 1]!.key;

  test("stands under the last own message that the peer has read", () => {
    expect(readRow(rows, 4)).toBe(keyOf(4));
    expect(readRow(rows, 9)).toBe(keyOf(5));
  });

  test("whoever writes has read what stands above", () => {
    expect(readRow(rows, 0)).toBe(keyOf(2));
  });

  test("stands nowhere when nothing was read", () => {
    expect(readRow(rows.slice(0, 2), 0)).toBeNull();
  });
});

import { describe, expect, test } from "vitest";
import { message, messages, minute, page } from "../test/made";
import * as w from "./window";

const seqs = (held: w.Window) => held.messages.map((m) => m.seq);
const held = (from: number, to: number, over: Partial<w.Window> = {}): w.Window => ({
  messages: messages(from, to),
  older: from > 1,
  tail: true,
  epoch: 0,
  ...over,
});

describe("pages", () => {
  test("come newest first and are held oldest first", () => {
    expect(seqs(w.fromPage(page(messages(4, 6))))).toEqual([4, 5, 6]);
  });

  test("of older messages go in front; what is there already is not doubled", () => {
    const more = w.withOlder(held(4, 6), page(messages(1, 4), false));
    expect(seqs(more)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(more.older).toBe(false);
  });

  test("of newer messages go behind, until the head is reached", () => {
    const some = w.withNewer(held(1, 3, { tail: false }), { items: messages(4, 5), last_seq: 7, has_more: true });
    expect([seqs(some), some.tail]).toEqual([[1, 2, 3, 4, 5], false]);
    const all = w.withNewer(some, { items: messages(6, 7), last_seq: 7, has_more: false });
    expect([seqs(all), all.tail]).toEqual([[1, 2, 3, 4, 5, 6, 7], true]);
  });
});

describe("a message that is pushed", () => {
  test("goes behind the last", () => {
    expect(seqs(w.withPushed(held(1, 3), message(4)))).toEqual([1, 2, 3, 4]);
  });

  test("changes nothing when it is known", () => {
    const before = held(1, 3);
    expect(w.withPushed(before, message(3))).toBe(before);
  });

  test("is left for a read when it does not follow, so that there is never a hole", () => {
    const after = w.withPushed(held(1, 3), message(5));
    expect([seqs(after), after.tail]).toEqual([[1, 2, 3], false]);
  });

  test("is left alone where the window ends before the head", () => {
    const before = held(1, 3, { tail: false });
    expect(w.withPushed(before, message(4))).toBe(before);
  });

  test("is the first of an empty room", () => {
    expect(seqs(w.withPushed(w.fromPage(page([], false)), message(1)))).toEqual([1]);
  });
});

describe("a removal", () => {
  const removed = { room_id: "r", seq: 5, removed_by: "bob", removed_at: minute(9) };

  test("leaves a tombstone in its place", () => {
    const after = w.withTombstone(held(4, 6), removed);
    expect(after.messages[1]).toMatchObject({ seq: 5, type: "removed", content: {}, removed_by: "bob" });
  });

  test("changes nothing twice, or outside", () => {
    const once = w.withTombstone(held(4, 6), removed);
    expect(w.withTombstone(once, removed)).toBe(once);
    const elsewhere = held(6, 8);
    expect(w.withTombstone(elsewhere, removed)).toBe(elsewhere);
  });
});

describe("the newest page, read again after an absence", () => {
  test("adds what was missed and brings removals", () => {
    const again = [...messages(3, 4), message(5, { type: "removed", content: {} }), message(6), message(7)];
    const after = w.withNewest(held(1, 6), page(again));
    expect(seqs(after)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(after.messages[4]!.type).toBe("removed");
    expect(after.epoch).toBe(0);
  });

  test("begins anew when it does not touch what is held", () => {
    const after = w.withNewest(held(1, 6), page(messages(20, 30)));
    expect([w.firstSeq(after), w.lastSeq(after), after.epoch]).toEqual([20, 30, 1]);
  });
});

describe("the bound", () => {
  test("drops the end that is farther away, so that the next messages do not drop again", () => {
    const atStart = w.trimmed(held(1, 101), 3, 100);
    expect([w.firstSeq(atStart), w.lastSeq(atStart), atStart.tail]).toEqual([1, 75, false]);
    const atEnd = w.trimmed(held(1, 101), 99, 100);
    expect([w.firstSeq(atEnd), w.lastSeq(atEnd), atEnd.tail, atEnd.older]).toEqual([27, 101, true, true]);
  });

  test("keeps what is looked at, wherever that is", () => {
    for (let seq = 1; seq <= 101; seq++) {
      expect(seqs(w.trimmed(held(1, 101), seq, 100))).toContain(seq);
    }
  });

  test("leaves a window alone that is within it", () => {
    const before = held(1, 100);
    expect(w.trimmed(before, 1, 100)).toBe(before);
  });
});

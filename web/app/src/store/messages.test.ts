import { beforeEach, describe, expect, test } from "vitest";
import { me, message, messages, minute, outgoing, page } from "../test/made";
import * as store from "./messages";
import { rowsOf } from "./timeline";
import { restBound, withAgain, withNewest } from "./window";

const mine = (seq: number, client_id: string) => message(seq, { sender_id: me, client_id });
const keys = () => {
  const { windows, outgoing: written } = store.useMessages.getState();
  return rowsOf(windows.r!, written.r ?? [], me, null).map((row) => row.key);
};

beforeEach(() => {
  store.forgetMessages();
  store.useMessages.setState({
    open: "r",
    windows: { r: { messages: messages(1, 2), older: false, tail: true, epoch: 0 } },
  });
});

// What is shown must be the same in each order of events, at each step.
const written = outgoing("a");
const acknowledged = outgoing("a", { status: "sent", seq: 3 });
const steps = {
  acknowledged: () => store.takeOutgoing(acknowledged),
  pushed: () => store.takeMessages([mine(3, "a")]),
};

test.each([
  ["acknowledged", "pushed"],
  ["pushed", "acknowledged"],
] as const)("what is written is shown once throughout: %s, then %s", (first, second) => {
  store.takeOutgoing(written);
  const shown = ["seq-1", "seq-2", "own-a"];
  expect(keys()).toEqual(shown);
  steps[first]();
  expect(keys()).toEqual(shown);
  steps[second]();
  expect(keys()).toEqual(shown);
  expect(store.useMessages.getState().outgoing.r).toEqual([]);
});

test("acknowledged, it waits behind others' messages until its own comes", () => {
  store.takeOutgoing(written);
  store.takeOutgoing(outgoing("a", { status: "sent", seq: 4 }));
  store.takeMessages([message(3)]);
  expect(keys()).toEqual(["seq-1", "seq-2", "seq-3", "own-a"]);
  store.takeMessages([mine(4, "a")]);
  expect(keys()).toEqual(["seq-1", "seq-2", "seq-3", "own-a"]);
});

test("a failed one stays until it is discarded", () => {
  store.takeOutgoing(outgoing("a", { status: "failed" }));
  expect(keys()).toContain("own-a");
  store.forgetOutgoing("r", "a");
  expect(keys()).not.toContain("own-a");
});

test("retried behind a later one, it is where it will be stored", () => {
  store.takeOutgoing(outgoing("a", { status: "failed" }));
  store.takeOutgoing(outgoing("b"));
  store.takeOutgoing(outgoing("a", { status: "sending" }));
  expect(keys().slice(2)).toEqual(["own-b", "own-a"]);
});

test("nothing is kept of what is sent in a room that is not held", () => {
  store.takeOutgoing(outgoing("x", { room_id: "elsewhere", status: "sent", seq: 1 }));
  expect(store.useMessages.getState().outgoing.elsewhere ?? []).toEqual([]);
});

test("a room that rests keeps its newest messages only", () => {
  store.openRoom("r");
  store.openRoom(null);
  store.takeMessages(messages(3, restBound + 50));
  const { messages: held } = store.useMessages.getState().windows.r!;
  expect([held.length, held.at(-1)!.seq]).toEqual([restBound, restBound + 50]);
});

test("a room that was left in the middle of its history is read anew", () => {
  store.useMessages.setState((s) => ({ windows: { r: { ...s.windows.r!, tail: false } } }));
  store.openRoom(null);
  expect(store.useMessages.getState().windows.r).toBeUndefined();
});

describe("a removal", () => {
  test("is not undone by a page that is older than it", () => {
    const removed = { room_id: "r", seq: 2, removed_by: "bob", removed_at: minute(9) };
    store.takeRemoval(removed);
    const stale = page(messages(1, 2), false);
    const { r } = store.useMessages.getState().windows;
    expect(withNewest(r!, stale).messages.map((m) => m.type)).toEqual(["text", "removed"]);
    expect(withAgain(r!, stale)).toBe(r);
  });

  test("is taken from a page of messages that are held", () => {
    const { r } = store.useMessages.getState().windows;
    const again = page([message(1, { type: "removed", content: {} }), message(2)], false);
    expect(withAgain(r!, again).messages.map((m) => m.type)).toEqual(["removed", "text"]);
  });
});

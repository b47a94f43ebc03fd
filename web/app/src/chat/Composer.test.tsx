import { memoryCursors, memoryOutbox, memorySessionStore, Parley } from "@parley-im/sdk";
import { createEvent, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { useConnection } from "../store/connection";
import { forgetDrafts } from "../store/drafts";
import { forgetMessages, useMessages } from "../store/messages";
import { Composer, lengthOf, textLimit } from "./Composer";

// A socket that never opens: what is sent waits in the outbox.
class Silent extends EventTarget {
  readonly readyState = 0;
  send() {}
  close() {}
}

beforeEach(async () => {
  const store = memorySessionStore();
  await store.save({
    user_id: "me",
    session_id: "s",
    user: null,
    access_token: "t",
    refresh_token: "t",
    expires_at: Date.now() + 3_600_000,
    lifetime_ms: 3_600_000,
  });
  const session = await new Parley({ urls: "http://127.0.0.1:9", store, webSocket: Silent as never }).resume();
  const connection = session!.connect({ outbox: memoryOutbox(), cursors: memoryCursors() });
  useConnection.setState({ connection });
  render(<Composer roomId="r" />);
});

afterEach(() => {
  useConnection.getState().connection?.close();
  forgetDrafts();
  forgetMessages();
});

const field = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
const type = (text: string) => fireEvent.change(field(), { target: { value: text } });
const sent = () => (useMessages.getState().outgoing.r ?? []).map((o) => o.text);

function press(init: KeyboardEventInit & { keyCode?: number }) {
  const event = createEvent.keyDown(field(), { key: "Enter", keyCode: 13, ...init });
  fireEvent(field(), event);
  return event;
}

test("Enter sends, with its indentation and without the space after it, and empties the field", () => {
  type("\n  hello\n    there \n");
  expect(press({}).defaultPrevented).toBe(true);
  expect(sent()).toEqual(["  hello\n    there"]);
  expect(field().value).toBe("");
});

test("Shift and Enter is a new line", () => {
  type("hello");
  expect(press({ shiftKey: true }).defaultPrevented).toBe(false);
  expect(sent()).toEqual([]);
});

test.each([
  ["Chromium and Firefox: it is told that a word is being composed", { isComposing: true, keyCode: 229 }],
  ["Firefox, with the key's own code", { isComposing: true, keyCode: 13 }],
  ["Safari: the composition has just ended, only the key code is left", { isComposing: false, keyCode: 229 }],
])("Enter that an input method takes sends nothing. %s", (_, init) => {
  type("ni hao");
  expect(press(init).defaultPrevented).toBe(false);
  expect(sent()).toEqual([]);
  type("你好");
  press({});
  expect(sent()).toEqual(["你好"]);
});

test("nothing but space is not sent", () => {
  type(" \n ");
  press({});
  expect(sent()).toEqual([]);
});

test("a text over the limit is told and not sent", () => {
  type("x".repeat(textLimit + 1));
  press({});
  expect(sent()).toEqual([]);
  expect(screen.getByRole("status").textContent).toBe("1 character too many");
  type("x".repeat(textLimit));
  expect(screen.getByRole("status").textContent).toBe("0 characters left");
  press({});
  expect(sent()).toHaveLength(1);
});

test("characters are counted as the server does: an emoji of two units is one", () => {
  expect(lengthOf("😀".repeat(2_000))).toBe(2_000);
});

test("what was begun is there when the room is opened again", () => {
  type("half a thought");
  screen.getByRole("button", { name: "Send" });
  render(<Composer roomId="other" />);
  expect(screen.getAllByRole<HTMLTextAreaElement>("textbox").map((f) => f.value)).toEqual(["half a thought", ""]);
});

test("with fingers Enter begins a new line, and the button sends; a keyboard sends with Ctrl or Cmd", () => {
  const query = vi.spyOn(window, "matchMedia");
  query.mockImplementation((media) => ({ media, matches: media === "(pointer: coarse)" }) as MediaQueryList);
  onTestFinished(() => query.mockRestore());
  type("one");
  expect(field().getAttribute("enterkeyhint")).toBe("enter");
  expect(press({}).defaultPrevented).toBe(false);
  expect(sent()).toEqual([]);
  type("one\ntwo");
  fireEvent.click(screen.getByRole("button", { name: "Send" }));
  expect(sent()).toEqual(["one\ntwo"]);
  type("three");
  press({ ctrlKey: true });
  expect(sent()).toEqual(["one\ntwo", "three"]);
});

import { expect, onTestFinished, test, vi } from "vitest";
import { gateway, parley, type Answers } from "../test/parley";
import { me, message, minute, room } from "../test/made";
import { useConnection } from "./connection";
import { keepLive, onMessage } from "./live";
import { forgetRoom, load, openRoom, refreshWindows, send, takeRemoval, useMessages } from "./messages";
import { rememberPeople, usePeople } from "./people";
import { totalUnread } from "./roombook";
import { useRooms } from "./rooms";
import { beginSession, useSession } from "./session";

vi.mock("./parley", () => import("../test/parley"));

const list = "GET /rooms?limit=50";
const eventually = (holds: () => void) => vi.waitFor(holds, { timeout: 10_000 });
const texts = (id: string) => useMessages.getState().windows[id]?.messages.map((m) => m.content.text ?? m.type);
const book = () => useRooms.getState().book;

/** Someone signed in, whose stores are kept up; the gateway knows the rooms "r" and "far". */
async function live(answers: Answers = {}) {
  const { gateway: server, asked } = await gateway({
    [list]: [200, { items: [room("r")], next_cursor: "" }],
    ...answers,
  });
  server.world.room("r");
  server.world.room("far");
  const stop = keepLive();
  beginSession(await parley.login({ account: "ann", password: "correct horse" }));
  onTestFinished(() => {
    useSession.setState({ status: "out", session: null, user: null, ended: null });
    stop();
  });
  await eventually(() => {
    expect(useConnection.getState().state).toBe("connected");
    expect(book().order).toEqual(["r"]);
    expect(Object.keys(book().heads).sort()).toEqual(["far", "r"]);
  });
  return { server, asked };
}

test("what is pushed comes into the list, the count and the open chat", async () => {
  const { server } = await live();
  openRoom("r");
  await eventually(() => expect(texts("r")).toEqual([]));
  const heard: string[] = [];
  onTestFinished(onMessage((m) => heard.push(m.content.text!)));
  server.tell("r", "one");
  server.tell("r", "two");
  await eventually(() => expect(texts("r")).toEqual(["one", "two"]));
  expect(book().rooms.r).toMatchObject({ unread: 2, last_message: { content: { text: "two" } } });
  expect(heard).toEqual(["one", "two"]);
});

test("a removal that follows a message at once finds it", async () => {
  const { server } = await live();
  openRoom("r");
  await eventually(() => expect(texts("r")).toEqual([]));
  server.tell("r", "one");
  server.tell("r", "two");
  server.push("message.removed", { room_id: "r", seq: 2, removed_by: "bob", removed_at: minute(3) });
  await eventually(() => expect(texts("r")).toEqual(["one", "removed"]));
  expect(book().rooms.r!.last_message!.type).toBe("removed");
});

test("what is written stands in the chat once, before and after it is stored", async () => {
  const { server } = await live();
  openRoom("r");
  await load("r", "newest");
  const seen = new Set<number>();
  onTestFinished(
    useMessages.subscribe((s) => seen.add((s.windows.r?.messages.length ?? 0) + (s.outgoing.r?.length ?? 0))),
  );
  send("r", "hello");
  server.push("message", server.world.append("r", "hello", useMessages.getState().outgoing.r![0]!.client_id, me));
  await eventually(() => {
    expect(texts("r")).toEqual(["hello"]);
    expect(useMessages.getState().outgoing.r).toEqual([]);
  });
  expect(book().rooms.r!.unread).toBe(0);
});

test("a message in a room that no page brought has it asked for", async () => {
  const { server } = await live({
    "GET /rooms/far": [200, room("far", { last_seq: 1, unread: 1, last_message: message(1, { room_id: "far" }) })],
  });
  server.tell("far", "over here");
  await eventually(() => expect(book().order).toContain("far"));
  expect(totalUnread(book())).toBe(1);
});

test("read on another device, it is read here; read by others, it is noted", async () => {
  const { server } = await live();
  server.tell("r", "one");
  await eventually(() => expect(book().rooms.r!.unread).toBe(1));
  server.push("room.reads", { room_id: "r", reads: [{ user_id: "bob", seq: 1 }] });
  server.push("room.read", { room_id: "r", user_id: me, seq: 1 });
  await eventually(() => expect(book().rooms.r!.unread).toBe(0));
  expect(useRooms.getState().reads.r).toEqual({ bob: 1 });
});

test("rooms come, change and go as it is told", async () => {
  const { server } = await live();
  server.push("room.created", { room: room("new", { created_at: minute(9) }) });
  await eventually(() => expect(book().order).toEqual(["new", "r"]));
  server.push("room.updated", { room_id: "new", name: "tea", closed: false, rev: 2 });
  server.push("member.joined", { room_id: "new", members: [], by: "bob", member_count: 7, rev: 3 });
  await eventually(() => expect(book().rooms.new).toMatchObject({ name: "tea", member_count: 7 }));
  server.push("room.disbanded", { room_id: "new", rev: 4 });
  server.push("member.left", { room_id: "r", user_id: me, by: me, member_count: 1, rev: 2 });
  await eventually(() => expect(book().order).toEqual([]));
});

test("what is shown of someone who was disabled is read again", async () => {
  const peer = { id: "bob", account: "", nickname: "", sex: 0, avatar_url: "", is_friend: true } as const;
  const { server } = await live({ "GET /rooms/r": [200, room("r", { peer })] });
  rememberPeople([{ ...peer, account: "bob", nickname: "Bob" }]);
  server.push("user.disabled", { room_id: "r", user_id: "bob", disabled: true });
  await eventually(() => expect(usePeople.getState().profiles.bob?.nickname).toBe(""));
});

test("nothing is left for the next one who signs in", async () => {
  const { server } = await live();
  openRoom("r");
  server.tell("r", "secret");
  await eventually(() => expect(texts("r")).toEqual(["secret"]));
  useSession.setState({ status: "out", session: null, user: null, ended: "logout" });
  expect([book().order, useMessages.getState().windows, useConnection.getState().connection]).toEqual([[], {}, null]);
});

test("a removal that comes while a page is read is not undone by the page", async () => {
  const { server } = await live();
  server.world.append("r", "one");
  server.world.append("r", "two");
  const reading = load("r", "newest");
  takeRemoval({ room_id: "r", seq: 1, removed_by: "bob", removed_at: minute(3) });
  await reading;
  expect(texts("r")).toEqual(["removed", "two"]);
});

test("after an absence all that is held is read again, also further back than a page", async () => {
  const { server } = await live();
  Array.from({ length: 150 }, (_, i) => server.world.append("r", `text ${i + 1}`));
  openRoom("r");
  await eventually(() => expect(texts("r")).toHaveLength(60));
  await load("r", "older");
  await load("r", "older");
  expect(texts("r")).toHaveLength(150);
  const log = server.world.rooms.get("r")!.messages;
  for (const seq of [3, 120]) {
    log[seq - 1] = { ...log[seq - 1]!, type: "removed", content: {} };
  }
  await refreshWindows();
  expect([texts("r")![2], texts("r")![119]]).toEqual(["removed", "removed"]);
  expect(texts("r")!.filter((text) => text !== "removed")).toHaveLength(148);
});

test("a room that was left takes no answer to an earlier question", async () => {
  const { server } = await live();
  server.world.append("r", "one");
  const reading = load("r", "newest");
  forgetRoom("r");
  await reading;
  expect(useMessages.getState()).toMatchObject({ windows: {}, loading: { r: undefined }, failed: { r: undefined } });
  await load("r", "newest");
  expect(texts("r")).toEqual(["one"]);
});

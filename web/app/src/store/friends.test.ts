import { expect, onTestFinished, test, vi } from "vitest";
import { friend, profile, signedIn } from "../test/signedin";
import { befriend, keepFriends, sortedFriends, unfriend, useFriends } from "./friends";

vi.mock("./parley", () => import("../test/parley"));

const first = "GET /friends?limit=200";
// Machines are slow at times; nothing here is about time.
const until = (holds: () => void) => vi.waitFor(holds, 20_000);
const ids = () => Object.keys(useFriends.getState().friends).sort();
const read = () => until(() => expect(useFriends.getState().status).toBe("all"));

function keep() {
  onTestFinished(keepFriends());
}

test("all pages are read", async () => {
  const { asked } = await signedIn({
    [first]: [200, { items: [friend("bob")], next_cursor: "more" }],
    [`${first}&cursor=more`]: [200, { items: [friend("cleo")], next_cursor: "" }],
  });
  keep();
  await read();
  expect(ids()).toEqual(["bob", "cleo"]);
  expect(asked.map((a) => a.what)).toContain(`${first}&cursor=more`);
});

test("friends come and go as it is told, also while pages are read", async () => {
  const { gateway } = await signedIn({
    [first]: [200, { items: [friend("bob"), friend("cleo")], next_cursor: "more" }],
    [`${first}&cursor=more`]: () => {
      // Told before the page that does not know of it yet is here.
      gateway.push("friend.removed", { user_id: "bob", room_id: "room-bob", rev: 2 });
      gateway.push("friend.added", { user: profile("dora"), room_id: "room-dora", since: "", rev: 1 });
      return [200, { items: [friend("emil")], next_cursor: "" }];
    },
  });
  keep();
  await read();
  await until(() => expect(ids()).toEqual(["cleo", "dora", "emil"]));
  gateway.push("friend.removed", { user_id: "cleo", room_id: "room-cleo", rev: 2 });
  await until(() => expect(ids()).toEqual(["dora", "emil"]));
});

test("a page that can't be read is told, and what is known stays", async () => {
  await signedIn({ [first]: [503, { code: "unavailable" }] });
  keep();
  await until(() => expect(useFriends.getState().error).toMatchObject({ code: "unavailable" }));
  expect(useFriends.getState().status).toBe("none");
});

test("friends are made and lost at once, without waiting for a push", async () => {
  const { asked } = await signedIn({
    [first]: [200, { items: [], next_cursor: "" }],
    "POST /friends": [201, { status: "friends", room_id: "room-bob", user: profile("bob") }],
    "DELETE /friends/bob": [204],
  });
  keep();
  await read();
  expect(await befriend("bob")).toBe("room-bob");
  expect(ids()).toEqual(["bob"]);
  await unfriend("bob");
  expect(ids()).toEqual([]);
  expect(asked.find((a) => a.what === "POST /friends")?.body).toEqual({ user_id: "bob" });
});

test("nothing is left for the next one who signs in", async () => {
  await signedIn({ [first]: [200, { items: [friend("bob")], next_cursor: "" }] });
  const stop = keepFriends();
  await read();
  stop();
  expect(useFriends.getState()).toMatchObject({ friends: {}, status: "none" });
});

test("they are in the order of their names, and found by name and account", () => {
  const all = Object.fromEntries(
    [friend("z", "ann"), friend("a", "Émile"), friend("b", "emil"), friend("c", "Zoë"), friend("wang", "王小明")].map(
      (f) => [f.user.id, f],
    ),
  );
  const names = (language: string, filter?: string) => sortedFriends(all, language, filter).map((f) => f.user.nickname);
  expect(names("en")).toEqual(["ann", "emil", "Émile", "Zoë", "王小明"]);
  expect(names("en", " ZO")).toEqual(["Zoë"]);
  expect(names("en", "wang")).toEqual(["王小明"]);
  expect(names("en", "nobody")).toEqual([]);
});

import { expect, test } from "vitest";
import { translators } from "../i18n";
import { emptyBook, withRooms } from "../store/roombook";
import { minute, room } from "../test/made";
import { matching } from "./filter";

const peer = { id: "b", account: "bob_99", nickname: "王小明", sex: 0 as const, avatar_url: "", is_friend: true };
const book = withRooms(emptyBook, [
  room("1", { name: "Tea on Thursdays", created_at: minute(1) }),
  room("2", { type: "direct", name: "", peer, created_at: minute(2) }),
]);
const found = (words: string) => matching(book, words, translators.en).map((r) => r.id);

test("all rooms without words, in the order of the list", () => {
  expect(found("  ")).toEqual(["2", "1"]);
});

test("by all of the words, in any case and order, in the name or the peer's account", () => {
  expect(found("thursd TEA")).toEqual(["1"]);
  expect(found("小明")).toEqual(["2"]);
  expect(found("bob_")).toEqual(["2"]);
  expect(found("tea bob")).toEqual([]);
});

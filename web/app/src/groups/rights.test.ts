import { expect, test } from "vitest";
import { mayDisband, mayGive, mayRemove, mayRename } from "./rights";

test("an owner may do everything, and give every role but the one that someone has", () => {
  expect([mayRename("owner"), mayDisband("owner")]).toEqual([true, true]);
  expect([mayRemove("owner", "admin"), mayRemove("owner", "member")]).toEqual([true, true]);
  expect(mayGive("owner", "member")).toEqual(["admin", "owner"]);
  expect(mayGive("owner", "admin")).toEqual(["member", "owner"]);
});

test("an admin may rename and remove members", () => {
  expect([mayRename("admin"), mayDisband("admin")]).toEqual([true, false]);
  expect([mayRemove("admin", "owner"), mayRemove("admin", "admin"), mayRemove("admin", "member")]).toEqual([
    false,
    false,
    true,
  ]);
  expect(mayGive("admin", "member")).toEqual([]);
});

test("a member may do nothing of that", () => {
  expect([mayRename("member"), mayDisband("member"), mayRemove("member", "member")]).toEqual([false, false, false]);
  expect(mayGive("member", "member")).toEqual([]);
});

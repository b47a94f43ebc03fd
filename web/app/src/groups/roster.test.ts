import type { Role } from "@parley-im/sdk";
import { expect, test } from "vitest";
import { heirOf, withJoined, withLeft, withMembers, withRole, type Entry } from "./roster";

const entry = (user_id: string, day: number, role: Role = "member"): Entry => ({
  user_id,
  role,
  joined_at: `2026-01-0${day}T00:00:00.000Z`,
});
const roster = [entry("ann", 1, "owner"), entry("bob", 2), entry("cleo", 3, "admin")];
const told = (r: readonly Entry[]) => r.map((m) => `${m.user_id} ${m.role}`);

test("pages and those who join come in the order of their joining, once", () => {
  const page = [entry("dora", 4), entry("bob", 2)];
  const all = withJoined(withMembers(roster, page), { members: [entry("emil", 5), entry("dora", 4)] });
  expect(told(all)).toEqual(["ann owner", "bob member", "cleo admin", "dora member", "emil member"]);
});

test("who leaves is gone, and an heir owns the group; told twice it is the same", () => {
  const left = { user_id: "ann", new_owner_id: "cleo" };
  const once = withLeft(roster, left);
  expect(told(once)).toEqual(["bob member", "cleo owner"]);
  expect(withLeft(once, left)).toEqual(once);
});

test("there is one owner, who was one before becomes an admin", () => {
  expect(told(withRole(roster, "bob", "owner"))).toEqual(["ann admin", "bob owner", "cleo admin"]);
  expect(told(withRole(roster, "cleo", "member"))).toEqual(["ann owner", "bob member", "cleo member"]);
});

test("the heir is the longest-serving admin, else the longest-serving member", () => {
  expect(heirOf(roster, "ann")?.user_id).toBe("cleo");
  expect(heirOf(withRole(roster, "cleo", "member"), "ann")?.user_id).toBe("bob");
  expect(heirOf([entry("ann", 1, "owner")], "ann")).toBeUndefined();
});

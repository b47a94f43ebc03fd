import type { Role, RoomMember } from "@parley-im/sdk";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { keepFriends } from "../store/friends";
import { takeRooms, useRooms } from "../store/rooms";
import "../test/layout";
import { refusal, type Answers } from "../test/parley";
import { friend, profile, signedIn } from "../test/signedin";
import { room } from "../test/made";
import { AddMembers } from "./AddMembers";
import { NewGroup } from "./NewGroup";
import { RoomInfo } from "./RoomInfo";

vi.mock("../store/parley", () => import("../test/parley"));

const user = userEvent.setup({ delay: null });
const member = (id: string, role: Role, day: number): RoomMember => ({
  user: profile(id),
  role,
  joined_at: `2026-01-0${day}T00:00:00.000Z`,
});

/** Signed in as "me", with this role in the group "tea" of bob, who is an admin, cleo and dora. */
async function inGroup(mine: Role, answers: Answers = {}) {
  const others = [member("bob", "admin", 2), member("cleo", "member", 3), member("dora", "member", 4)];
  const mates = mine === "owner" ? others : [member("emil", "owner", 1), ...others];
  const tea = room("tea", { role: mine, member_count: mates.length + 1 });
  const signed = await signedIn({
    "GET /friends?limit=200": [200, { items: ["bob", "fay", "gus"].map((id) => friend(id)), next_cursor: "" }],
    "GET /rooms?limit=50": [200, { items: [tea], next_cursor: "" }],
    "GET /rooms/tea": [200, tea],
    "GET /rooms/tea/members?limit=200": [200, { items: [member("me", mine, 1), ...mates], next_cursor: "" }],
    ...answers,
  });
  takeRooms([tea]);
  onTestFinished(keepFriends());
  return signed;
}

const row = async (name: string) => {
  const list = await screen.findByRole("list", { name: "Members" });
  return (await within(list).findByText(name)).closest<HTMLElement>("[role=listitem]")!;
};

/** What the menu of a member offers; nothing when there is none. */
async function offered(name: string): Promise<string[]> {
  const button = within(await row(name)).queryByRole("button", { name: `More about ${name}` });
  if (!button) return [];
  await user.click(button);
  const items = (await screen.findAllByRole("menuitem")).map((item) => item.textContent ?? "");
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
  return items;
}

async function choose(name: string, what: string) {
  await user.click(within(await row(name)).getByRole("button", { name: `More about ${name}` }));
  await user.click(await screen.findByRole("menuitem", { name: what }));
  return within(await screen.findByRole("alertdialog"));
}

const buttons = () => screen.getAllByRole("button").map((b) => b.textContent);

beforeEach(() => {
  location.hash = "#/rooms/tea/info";
});

test("an owner is offered everything", async () => {
  await inGroup("owner");
  render(<RoomInfo roomId="tea" />);
  expect(await offered("bob")).toEqual(["Message", "Make member", "Make owner", "Remove from group"]);
  expect(await offered("cleo")).toEqual(["Make admin", "Make owner", "Remove from group"]);
  expect(buttons()).toEqual(expect.arrayContaining(["Add members", "Rename", "Leave group", "Disband group"]));
  expect(within(await row("bob")).getByText("Admin")).toBeTruthy();
});

test("an admin is not offered what only owners may do", async () => {
  await inGroup("admin");
  render(<RoomInfo roomId="tea" />);
  expect(await offered("cleo")).toEqual(["Remove from group"]);
  expect(await offered("emil")).toEqual([]);
  expect(await offered("bob")).toEqual(["Message"]);
  expect(buttons()).toEqual(expect.arrayContaining(["Add members", "Rename", "Leave group"]));
  expect(buttons()).not.toContain("Disband group");
});

test("a member is offered to add friends and to leave", async () => {
  await inGroup("member");
  render(<RoomInfo roomId="tea" />);
  expect(await offered("cleo")).toEqual([]);
  expect(buttons()).toEqual(expect.arrayContaining(["Add members", "Leave group"]));
  expect(buttons()).not.toContain("Rename");
});

test("someone is removed after a question, and the focus stays in the list", async () => {
  const { asked } = await inGroup("owner", { "DELETE /rooms/tea/members/cleo": [204] });
  render(<RoomInfo roomId="tea" />);
  const dialog = await choose("cleo", "Remove from group");
  await user.click(dialog.getByRole("button", { name: "Remove from group" }));
  await waitFor(() => expect(screen.queryByText("cleo")).toBeNull());
  expect(asked.map((a) => a.what)).toContain("DELETE /rooms/tea/members/cleo");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("list", { name: "Members" })));
});

test("a group is handed over, and the one before is an admin then", async () => {
  let handed = false;
  const { asked } = await inGroup("owner", {
    "PATCH /rooms/tea/members/bob": () => {
      handed = true;
      return [200, member("bob", "owner", 2)];
    },
    "GET /rooms/tea": () => [200, room("tea", { role: handed ? "admin" : "owner", member_count: 4 })],
  });
  render(<RoomInfo roomId="tea" />);
  const dialog = await choose("bob", "Make owner");
  await user.click(dialog.getByRole("button", { name: "Make owner" }));
  await waitFor(() => expect(screen.queryByRole("button", { name: "Disband group" })).toBeNull());
  expect(within(await row("bob")).getByText("Owner")).toBeTruthy();
  expect(within(await row("me")).getByText("Admin")).toBeTruthy();
  expect(asked.find((a) => a.what.startsWith("PATCH"))?.body).toEqual({ role: "owner" });
});

test("an owner who leaves is told who takes over, and is out", async () => {
  await inGroup("owner", { "DELETE /rooms/tea/members/me": [204] });
  render(<RoomInfo roomId="tea" />);
  await row("bob");
  await user.click(screen.getByRole("button", { name: "Leave group" }));
  const dialog = within(await screen.findByRole("alertdialog", { name: "Leave “tea”?" }));
  expect(dialog.getByText("You own this group. When you leave, bob becomes its owner.")).toBeTruthy();
  await user.click(dialog.getByRole("button", { name: "Leave group" }));
  await waitFor(() => expect(location.hash).toBe("#/rooms"));
  expect(useRooms.getState().book.rooms["tea"]).toBeUndefined();
});

test("a group is disbanded after a question", async () => {
  const { asked } = await inGroup("owner", { "DELETE /rooms/tea": [204] });
  render(<RoomInfo roomId="tea" />);
  await user.click(await screen.findByRole("button", { name: "Disband group" }));
  const dialog = within(await screen.findByRole("alertdialog"));
  await user.click(dialog.getByRole("button", { name: "Disband group" }));
  await waitFor(() => expect(location.hash).toBe("#/rooms"));
  expect(asked.map((a) => a.what)).toContain("DELETE /rooms/tea");
});

test("a group is renamed; a refused name is told at the field", async () => {
  let good = false;
  await inGroup("admin", {
    "PATCH /rooms/tea": () =>
      good ? [200, room("tea", { name: "coffee" })] : [400, refusal("invalid_argument", "name")],
  });
  render(<RoomInfo roomId="tea" />);
  await user.click(await screen.findByRole("button", { name: "Rename" }));
  const field = await screen.findByRole<HTMLInputElement>("textbox", { name: "Group name" });
  expect(field.value).toBe("tea");
  await user.clear(field);
  await user.type(field, "coffee{Enter}");
  await screen.findByText("Use 1 to 64 characters.");
  good = true;
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("heading", { name: "coffee" })).toBeTruthy();
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("button", { name: "Rename" })));
});

test("who joins, leaves and gets a role is seen as it happens", async () => {
  const { gateway } = await inGroup("member", { "GET /users/hana": [200, profile("hana", "Hana")] });
  render(<RoomInfo roomId="tea" />);
  await row("dora");
  const joined = { user_id: "hana", role: "member", joined_at: "2026-01-09T00:00:00.000Z" };
  gateway.push("member.joined", { room_id: "tea", members: [joined], by: "emil", member_count: 6, rev: 2 });
  await row("Hana");
  gateway.push("member.left", {
    room_id: "tea",
    user_id: "emil",
    by: "emil",
    new_owner_id: "bob",
    member_count: 5,
    rev: 3,
  });
  await waitFor(() => expect(screen.queryByText("emil")).toBeNull());
  expect(within(await row("bob")).getByText("Owner")).toBeTruthy();
  const cleo = { user_id: "cleo", role: "admin", joined_at: "2026-01-03T00:00:00.000Z" };
  gateway.push("room.updated", { room_id: "tea", name: "tea", closed: false, member: cleo, rev: 4 });
  await waitFor(async () => expect(within(await row("cleo")).getByText("Admin")).toBeTruthy());
});

test("a group that is no more, or not one's own, says so", async () => {
  await signedIn({ "GET /rooms/tea": [404, refusal("not_found")] });
  render(<RoomInfo roomId="tea" />);
  await screen.findByText("This chat does not exist, or you are not in it.");
});

test.each([
  ["member.left", { user_id: "me", by: "bob", member_count: 4 }, "You were removed from “tea”."],
  ["member.left", { user_id: "me", by: "me", member_count: 4 }, "You left “tea”."],
  ["room.disbanded", {}, "“tea” was disbanded."],
])("of a group that goes while it is open its name is told, and why: %s", async (op, data, told) => {
  const { gateway } = await inGroup("member", { "GET /rooms/tea": [404, refusal("not_found")] });
  render(<RoomInfo roomId="tea" />);
  gateway.push(op, { room_id: "tea", rev: 2, ...data });
  await screen.findByText(told);
});

test("only friends who are no members can be added; those who are chosen are", async () => {
  const { asked } = await inGroup("member", {
    "POST /rooms/tea/members": [200, { added: ["gus"], already: [] }],
  });
  render(<AddMembers roomId="tea" />);
  await user.click(await screen.findByRole("checkbox", { name: /gus/ }));
  expect(screen.queryByRole("checkbox", { name: /bob/ })).toBeNull();
  expect(screen.getByText("1 chosen")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Add 1 member" }));
  await waitFor(() => expect(location.hash).toBe("#/rooms/tea/info"));
  expect(asked.find((a) => a.what.startsWith("POST"))?.body).toEqual({ user_ids: ["gus"] });
});

test("a group is made of a name and friends; asked for twice it is the same one", async () => {
  let lost = true;
  const { asked } = await inGroup("member", {
    "POST /rooms": () => (lost ? [504, refusal("deadline_exceeded")] : [201, room("new", { name: "Lunch" })]),
  });
  render(<NewGroup />);
  await user.click(screen.getByRole("button", { name: "Create group" }));
  expect(document.activeElement).toBe(screen.getByRole("textbox", { name: "Group name" }));
  await user.type(screen.getByRole("textbox", { name: "Group name" }), " Lunch ");
  await user.click(await screen.findByRole("checkbox", { name: /fay/ }));
  await user.type(screen.getByRole("searchbox", { name: "Search friends" }), "gus");
  await waitFor(() => expect(screen.queryByRole("checkbox", { name: /fay/ })).toBeNull());
  await user.click(screen.getByRole("checkbox", { name: /gus/ }));
  await user.click(screen.getByRole("button", { name: "Create group" }));
  await screen.findByRole("alert");
  lost = false;
  await user.click(screen.getByRole("button", { name: "Create group" }));
  await waitFor(() => expect(location.hash).toBe("#/rooms/new"));
  const bodies = asked.filter((a) => a.what === "POST /rooms").map((a) => a.body as Record<string, unknown>);
  expect(bodies[0]).toMatchObject({ name: "Lunch", member_ids: ["fay", "gus"] });
  expect(bodies[0]?.client_id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  expect(bodies[1]).toEqual(bodies[0]);
});

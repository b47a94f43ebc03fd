import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { keepFriends } from "../store/friends";
import "../test/layout";
import { refusal, type Answers } from "../test/parley";
import { friend, profile, signedIn } from "../test/signedin";
import { FindFriend } from "./FindFriend";
import { FriendList } from "./FriendList";

vi.mock("../store/parley", () => import("../test/parley"));

const user = userEvent.setup({ delay: null });
const find = async (account: string) =>
  user.type(screen.getByRole("textbox", { name: "Account of your friend" }), `${account}{Enter}`);

async function signIn(friends: string[], answers: Answers = {}) {
  const page = { items: friends.map((id) => friend(id)), next_cursor: "" };
  const signed = await signedIn({ "GET /friends?limit=200": [200, page], ...answers });
  onTestFinished(keepFriends());
  return signed;
}

beforeEach(() => {
  location.hash = "#/friends";
});

test("someone is found by their account however it was typed, added, and the chat opens", async () => {
  const { asked } = await signIn([], {
    "GET /users?account=bob": [200, { ...profile("bob", "Bob"), is_friend: false }],
    "POST /friends": [201, { status: "friends", room_id: "r1", user: profile("bob", "Bob") }],
  });
  render(<FindFriend />);
  await find(" @Bob ");
  const found = within(screen.getByRole("status"));
  await user.click(await found.findByRole("button", { name: "Add friend" }));
  await waitFor(() => expect(location.hash).toBe("#/rooms/r1"));
  expect(asked.find((a) => a.what === "POST /friends")?.body).toEqual({ user_id: "bob" });
});

test("that nobody is called so is told at the field", async () => {
  await signIn([], { "GET /users?account=nobody": [404, refusal("not_found")] });
  render(<FindFriend />);
  await find("nobody");
  await screen.findByText("Nobody has the account “nobody”.");
  expect(document.activeElement).toBe(screen.getByRole("textbox"));
});

test("oneself and friends can't be added; to friends one can write", async () => {
  await signIn(["bob"], {
    "GET /users?account=ann": [200, profile("me", "Ann")],
    "GET /users?account=bob": [200, profile("bob", "Bob")],
  });
  render(<FindFriend />);
  await find("ann");
  await screen.findByText("That's you.");
  await user.clear(screen.getByRole("textbox"));
  await find("bob");
  await user.click(await screen.findByRole("button", { name: "Message" }));
  expect(location.hash).toBe("#/rooms/room-bob");
  expect(screen.queryByRole("button", { name: "Add friend" })).toBeNull();
});

test("the list has each friend as the way to their chat", async () => {
  await signIn(["bob", "cleo"]);
  render(<FriendList />);
  const list = await screen.findByRole("list", { name: "Friends" });
  const link = await within(list).findByRole("link", { name: /bob/ });
  expect(link.getAttribute("href")).toBe("#/rooms/room-bob");
  expect(screen.queryByRole("searchbox")).toBeNull(); // two can be overlooked
  link.focus();
  await user.keyboard("{ArrowDown}");
  expect(document.activeElement).toBe(within(list).getByRole("link", { name: /cleo/ }));
});

test("a friend is removed only after a question, and the focus stays in the list", async () => {
  const { asked } = await signIn(["bob", "cleo"], { "DELETE /friends/bob": [204] });
  render(<FriendList />);
  const remove = async () => {
    await user.click(await screen.findByRole("button", { name: "More about bob" }));
    await user.click(await screen.findByRole("menuitem", { name: "Remove friend" }));
    return within(await screen.findByRole("alertdialog", { name: "Remove bob?" }));
  };
  await user.click((await remove()).getByRole("button", { name: "Cancel" }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(asked.some((a) => a.what.startsWith("DELETE"))).toBe(false);
  await user.click((await remove()).getByRole("button", { name: "Remove friend" }));
  await waitFor(() => expect(screen.queryByRole("link", { name: /bob/ })).toBeNull());
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("list", { name: "Friends" })));
});

test("after the last friend is removed the focus is at the beginning of what is left", async () => {
  await signIn(["bob"], { "DELETE /friends/bob": [204] });
  render(
    <main id="main" tabIndex={-1}>
      <FriendList />
    </main>,
  );
  await user.click(await screen.findByRole("button", { name: "More about bob" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove friend" }));
  const dialog = within(await screen.findByRole("alertdialog"));
  await user.click(dialog.getByRole("button", { name: "Remove friend" }));
  await screen.findByText("No friends yet");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("main")));
});

test("a removal that fails is told in the dialog, which stays", async () => {
  await signIn(["bob"], { "DELETE /friends/bob": [503, refusal("unavailable")] });
  render(<FriendList />);
  await user.click(await screen.findByRole("button", { name: "More about bob" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove friend" }));
  const dialog = within(await screen.findByRole("alertdialog"));
  await user.click(dialog.getByRole("button", { name: "Remove friend" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("The server is busy.");
  expect(screen.getByRole("alertdialog")).toBeTruthy();
});

test("whoever has no friends is shown how to find some", async () => {
  await signIn([]);
  render(<FriendList />);
  await screen.findByText("No friends yet");
  await user.click(screen.getAllByRole("button", { name: "Add friend" }).at(-1)!);
  expect(location.hash).toBe("#/friends/add");
});

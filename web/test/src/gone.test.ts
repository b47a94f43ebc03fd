import { expect, test } from "vitest";
import { register } from "./harness/api";
import { befriend, post } from "./harness/crowd";
import type { Person } from "./harness/person";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

/** Bob, who is at a browser, and Ann, whose group he is in. */
async function group(name: string) {
  const who = (nickname: string) =>
    register(s.system.gateways[0]!.url, s.system.mail, nickname.toLowerCase(), nickname);
  const [ann, account] = await Promise.all([who("Ann"), who("Bob")]);
  await befriend(ann, account);
  const body = { name, member_ids: [account.userId], client_id: name };
  const { id } = await ann.call<{ id: string }>("POST", "/rooms", body);
  await post(ann, id, `welcome to ${name}`);
  const bob = await s.visitor("Bob", 1);
  await bob.login(account.account);
  return { ann, account, bob, id };
}

async function toldThatItIsGone(bob: Person, name: string, told: string): Promise<void> {
  await bob.page.getByRole("alert").filter({ hasText: told }).waitFor();
  expect(await bob.chats.getByRole("link", { name }).count()).toBe(0);
  const out = bob.button("To your chats");
  await until("the way out has the focus", () => out.evaluate((e) => e === document.activeElement));
  await bob.page.keyboard.press("Enter");
  await bob.page.getByRole("alert").waitFor({ state: "detached" });
  expect(new URL(bob.page.url()).hash).toBe("#/rooms");
}

test("a group is disbanded, or left against one's will, while one writes in it", async () => {
  const { ann, account, bob, id } = await group("Tea");
  await bob.open("Tea");
  await bob.composer.fill("a thought that is not finis");
  await ann.call("DELETE", `/rooms/${id}/members/${account.userId}`);
  await toldThatItIsGone(bob, "Tea", "You were removed from “Tea”.");

  const body = { name: "Coffee", member_ids: [account.userId], client_id: "coffee" };
  const coffee = await ann.call<{ id: string }>("POST", "/rooms", body);
  await bob.open("Coffee");
  await ann.call("DELETE", `/rooms/${coffee.id}`);
  await toldThatItIsGone(bob, "Coffee", "“Coffee” was disbanded.");
});

const missing = "This chat does not exist, or you are not in it.";

test("the address of a chat that is not one's own says so, also after a reload", async () => {
  const { ann, account, bob, id } = await group("Wine");
  const link = bob.chats.getByRole("link", { name: "Wine" });
  await link.waitFor();
  await ann.call("DELETE", `/rooms/${id}/members/${account.userId}`);
  await link.waitFor({ state: "detached" });
  await bob.page.goto(`${bob.url}/#/rooms/${id}`);
  await bob.page.getByRole("alert").filter({ hasText: missing }).waitFor();
  await bob.page.reload();
  await toldThatItIsGone(bob, "Wine", missing);
});

test("who is logged out from elsewhere finds what was begun, in the same chat, after logging in again", async () => {
  const { account, bob } = await group("Milk");
  await bob.open("Milk");
  await bob.composer.fill("half a sentence");
  const devices = await account.call<{ items: { id: string; current: boolean }[] }>("GET", "/auth/sessions");
  for (const { id, current } of devices.items) if (!current) await account.call("DELETE", `/auth/sessions/${id}`);
  await bob.page.getByText("You were logged out").waitFor();
  await bob.login(account.account);
  await bob.heading("Milk").waitFor();
  expect(await bob.composer.inputValue()).toBe("half a sentence");
});

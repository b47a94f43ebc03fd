import { expect, test } from "vitest";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

test("two tabs share what was begun, and lose none of it", async () => {
  const [ann, bob, cleo] = await Promise.all([s.member("Ann", 0), s.member("Bob", 1), s.member("Cleo", 1)]);
  await ann.befriend(bob.account);
  await ann.befriend(cleo.account);
  await ann.open("Bob");
  const second = await ann.context.newPage();
  await second.goto(ann.page.url());
  const field = second.getByRole("textbox", { name: "Message" });
  await field.waitFor();

  await ann.composer.fill("for Bob");
  await until("the other tab has it too", async () => (await field.inputValue()) === "for Bob");
  await second.getByRole("region", { name: "Chats" }).getByRole("link", { name: "Cleo" }).click();
  await second.getByRole("heading", { name: "Cleo" }).waitFor();
  await field.fill("for Cleo");
  await ann.composer.press("End");
  await ann.composer.pressSequentially(", more");
  await Promise.all([ann.page.reload(), second.reload()]);
  await ann.composer.waitFor();
  await field.waitFor();
  expect(await ann.composer.inputValue()).toBe("for Bob, more");
  expect(await field.inputValue()).toBe("for Cleo");

  await second.getByRole("region", { name: "Chats" }).getByRole("link", { name: "Bob" }).click();
  await until("the draft is in both", async () => (await field.inputValue()) === "for Bob, more");
  await ann.composer.press("Enter");
  await until("what was sent can't be sent again", async () => (await field.inputValue()) === "");
});

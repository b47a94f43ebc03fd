import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { fresh, password, register } from "./harness/api";
import { serious } from "./harness/axe";
import type { Person } from "./harness/person";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

/** So many stops are at most between two things that belong together. */
const stops = 25;

test("from the first page to the first message, and to a question and back, by the keyboard alone", async () => {
  const { url } = s.system.gateways[0]!;
  const bob = await register(url, s.system.mail, "bob", "Bob");
  const ann = await s.visitor("Ann", 0);
  const keys = ann.page.keyboard;
  const email = `${fresh("ann")}@example.org`;

  await focused(ann.field("Account or e-mail"));
  await press(ann, ann.link("Create an account"));
  await focused(ann.field("E-mail"));
  await keys.type(`${email}\n`);
  await focused(ann.field("Code"));
  await keys.type(await s.system.mail.code(email));
  await reach(ann, ann.field("Password"));
  await keys.type(`${password}\n`);
  await ann.navigation.waitFor();

  await press(ann, ann.link("Skip to content"));
  await focused(ann.page.getByRole("main"));
  await press(ann, ann.link("Find a friend"));
  await focused(ann.field("Account of your friend"));
  await keys.type("nobody.at.all\n");
  await ann.page.getByText("Nobody has the account").waitFor();
  await focused(ann.field("Account of your friend"));
  await keys.press("ControlOrMeta+A");
  await keys.type(`@${bob.account}\n`);
  const add = ann.page.getByRole("status").getByRole("button", { name: "Add friend" });
  await add.waitFor();
  await press(ann, add);

  await focused(ann.composer);
  await keys.type("hello Bob");
  await keys.press("Shift+Enter");
  await keys.type("second line\n");
  await ann.page.getByRole("article").filter({ hasText: "second line" }).waitFor();
  await focused(ann.composer);
  expect(await ann.composer.inputValue()).toBe("");

  await press(ann, ann.link("About this contact"));
  await focused(ann.heading("Contact"));
  await press(ann, ann.button("Remove friend"));
  const question = ann.page.getByRole("alertdialog");
  await focused(question.getByRole("button", { name: "Cancel" }));
  for (let i = 0; i < 4; i++) {
    await keys.press("Tab");
    await focused(question.locator(":focus"));
  }
  expect(await serious(ann.page)).toEqual([]);
  await keys.press("Escape");
  await question.waitFor({ state: "detached" });
  await focused(ann.button("Remove friend"));
});

test("arrow keys go through the chats and the messages", async () => {
  const ann = await s.member("Ann", 0);
  const friends = ["Bob", "Cleo"];
  for (const name of friends) {
    const { account } = await register(ann.url, s.system.mail, name.toLowerCase(), name);
    await ann.befriend(account);
    await ann.say(`hello ${name}`);
    await ann.sees(`hello ${name}`);
  }
  const [cleo, bob] = friends.toReversed().map((name) => ann.chats.getByRole("link", { name }));
  await reach(ann, cleo!);
  await ann.page.keyboard.press("ArrowDown");
  await focused(bob!);
  await ann.page.keyboard.press("Enter");
  await ann.heading("Bob").waitFor();
  await focused(ann.composer);
  await ann.say("and again");
  await ann.sees("and again");

  const actions = (text: string) => ann.message(text).getByRole("button", { name: "Message actions" });
  // The keyboard enters at the last one, once that is stored.
  await actions("and again").and(ann.page.locator("[tabindex='0']")).waitFor();
  await ann.page.keyboard.press("Shift+Tab");
  await focused(actions("and again"));
  await ann.page.keyboard.press("ArrowUp");
  await focused(actions("hello Bob"));
  await ann.page.keyboard.press("Enter");
  await focused(ann.page.getByRole("menuitem", { name: "Copy text" }));
  await ann.page.keyboard.press("ArrowDown");
  await ann.page.keyboard.press("Enter");
  const ask = ann.page.getByRole("alertdialog", { name: "Remove this message?" });
  await focused(ask.getByRole("button", { name: "Cancel" }));
  await ann.page.keyboard.press("Enter");
  await focused(actions("hello Bob"));
  await ann.page.keyboard.press("Enter");
  await focused(ann.page.getByRole("menuitem", { name: "Copy text" }));
  await ann.page.keyboard.press("ArrowDown");
  await ann.page.keyboard.press("Enter");
  await focused(ask.getByRole("button", { name: "Cancel" }));
  await ann.page.keyboard.press("Tab");
  await ann.page.keyboard.press("Enter");
  await ann.message("Message removed").waitFor();
  await focused(ann.page.getByRole("log", { name: "Messages" }));
});

test("on a phone the way back from a chat leaves no chat behind", async () => {
  const ann = await s.member("Ann", 0, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
  const { account } = await register(ann.url, s.system.mail, "bob", "Bob");
  await ann.befriend(account);
  await ann.link("Back").tap();
  await ann.go("Friends");
  await ann.go("Chats");
  await ann.chats.getByRole("link", { name: "Bob" }).tap();
  await ann.composer.waitFor();
  await ann.link("Back").tap();
  await ann.navigation.waitFor();
  await focused(ann.chats.getByRole("link", { name: "Bob" }));
  await ann.page.goBack();
  await ann.heading("Friends").waitFor();
});

/** Resolves when this one thing has the focus. */
async function focused(what: Locator): Promise<void> {
  await until(`${what.toString()} has the focus`, async () => {
    return (await what.count()) === 1 && (await what.evaluate((e) => e === document.activeElement));
  });
}

/** Tabs on until this has the focus. */
async function reach(person: Person, what: Locator): Promise<void> {
  await what.waitFor({ state: "attached" });
  for (let i = 0; i < stops; i++) {
    await person.page.keyboard.press("Tab");
    if (await what.evaluate((e) => e === document.activeElement)) return;
  }
  throw new Error(`${what.toString()} is no stop of the keyboard`);
}

async function press(person: Person, what: Locator): Promise<void> {
  await reach(person, what);
  await person.page.keyboard.press("Enter");
}

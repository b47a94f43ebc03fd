import type { BrowserContextOptions, Page } from "playwright-core";
import { expect, test } from "vitest";
import { register, type Account } from "./harness/api";
import { serious } from "./harness/axe";
import { befriend, post } from "./harness/crowd";
import type { Person } from "./harness/person";
import { picture } from "./harness/picture";
import { stage } from "./harness/stage";
import { tooSmall } from "./harness/touch";

const s = stage();

const looks: Record<string, BrowserContextOptions> = {
  "light, wide": { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  "dark, wide": { colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  "light, narrow": { colorScheme: "light", viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
  "dark, narrow": { colorScheme: "dark", viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
};

// What is wrong with the screen that is open, in its words.
async function look(person: Person, screen: string, options: BrowserContextOptions): Promise<string[]> {
  const { width } = options.viewport!;
  const wide = await person.page.evaluate(() => document.documentElement.scrollWidth);
  const found = (await serious(person.page)).map((line) => `${screen}: ${line}`);
  if (wide > width) found.push(`${screen}: is ${wide} px wide in ${width}`);
  if (options.hasTouch) found.push(...(await tooSmall(person.page)).map((line) => `${screen}: ${line}`));
  return found;
}

for (const [name, options] of Object.entries(looks)) {
  const file = name.replace(", ", "-");

  test(`screens before one is signed in, ${name}`, async () => {
    const ann = await s.visitor("Ann", 0, options);
    const found: string[] = [];
    const see = async (screen: string) => found.push(...(await look(ann, screen, options)));
    await ann.button("Log in").waitFor();
    await see("login");
    await ann.button("Log in").click();
    await see("login refused");
    await ann.link("Forgot your password?").click();
    await ann.button("Send code").waitFor();
    await see("reset");
    await ann.page.goto(`${ann.url}/#/register`);
    await ann.field("E-mail").fill(`${file}@example.org`);
    await see("register");
    await ann.button("Send code").click();
    await ann.field("Nickname (optional)").waitFor();
    await picture(ann.page, `register-${file}`);
    await see("register, with the code");
    expect(found).toEqual([]);
  });

  test(`screens of someone who is signed in, ${name}`, async () => {
    const { ann: account, group } = await village();
    const ann = await s.visitor("Ann", 0, options);
    await ann.login(account.account);
    const found: string[] = [];
    const see = async (screen: string) => found.push(...(await look(ann, screen, options)));
    await ann.chats.getByRole("link", { name: "Sunday hike" }).waitFor();
    await picture(ann.page, `chats-${file}`);
    await see("chats");
    await ann.open("Sunday hike");
    await ann.sees("See you on Sunday!");
    await picture(ann.page, `chat-${file}`);
    await see("chat");
    for (const [screen, path, there] of placesOf(group)) {
      await ann.page.goto(`${ann.url}/#/${path}`);
      await ann.page.getByText(there).first().waitFor();
      await picture(ann.page, `${screen}-${file}`);
      await see(screen);
    }
    expect(found).toEqual([]);
  });
}

test("at 200 % zoom nothing is wider than the screen, and what is written can be seen", async () => {
  const { ann: account, group } = await village();
  const ann = await s.visitor("Ann", 0, { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 });
  await ann.login(account.account);
  const found: string[] = [];
  const see = async (screen: string) => {
    const wide = await ann.page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > 640) found.push(`${screen}: is ${wide} px wide`);
  };
  for (const [screen, path, there] of placesOf(group)) {
    await ann.page.goto(`${ann.url}/#/${path}`);
    await ann.page.getByText(there).first().waitFor();
    await see(screen);
  }
  await ann.page.goto(`${ann.url}/#/rooms/${group}`);
  await ann.say("seen over the composer");
  await ann.sees("seen over the composer");
  await see("chat");
  const message = (await ann.message("seen over the composer").boundingBox())!;
  const composer = (await ann.composer.boundingBox())!;
  expect(message.y).toBeGreaterThan(0);
  expect(message.y + message.height).toBeLessThanOrEqual(composer.y);
  expect(composer.y + composer.height).toBeLessThanOrEqual(400);
  expect(found).toEqual([]);
});

test.each([1280, 400])(
  "with letters twice as large nothing is cut off or lies over another, %i px wide",
  async (width) => {
    const { ann: account, group } = await village();
    const ann = await s.visitor("Ann", 0, { viewport: { width, height: 800 } });
    await ann.page.addInitScript(() =>
      document.addEventListener("DOMContentLoaded", () => (document.documentElement.style.fontSize = "200%")),
    );
    await ann.page.reload();
    await ann.login(account.account);
    await ann.chats.getByRole("link", { name: "Sunday hike" }).waitFor();
    expect(await outside(ann.page)).toEqual([]);
    const link = (await ann.chats.getByRole("list").getByRole("link").all()).map(async (l) => (await l.boundingBox())!);
    const boxes = (await Promise.all(link)).sort((a, b) => a.y - b.y);
    expect(boxes.length).toBeGreaterThan(1);
    boxes.slice(1).forEach((b, i) => expect(b.y).toBeGreaterThanOrEqual(boxes[i]!.y + boxes[i]!.height));
    for (const [, path, there] of [["chat", `rooms/${group}`, "See you on Sunday!"] as const, ...placesOf(group)]) {
      await ann.page.goto(`${ann.url}/#/${path}`);
      await ann.page.getByText(there).filter({ visible: true }).first().waitFor();
      expect(await outside(ann.page), path).toEqual([]);
    }
  },
);

/** What is written beyond its header, navigation or search field, as far as that can be seen. */
function outside(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    for (const text of document.querySelectorAll<HTMLElement>("header h1, header p, nav a > span")) {
      const [box, within] = [text.getBoundingClientRect(), text.closest("header, nav")!.getBoundingClientRect()];
      const over = Math.max(
        within.top - box.top,
        box.bottom - within.bottom,
        within.left - box.left,
        box.right - within.right,
      );
      if (text.offsetParent && !text.matches(".hidden-text") && over > 0.5)
        found.push(`${text.textContent}: ${over} px`);
    }
    return found;
  });
}

/** Screens, where they are, and what can be read there. */
function placesOf(group: string): [screen: string, path: string, there: string | RegExp][] {
  return [
    ["friends", "friends", "Cleo"],
    ["find", "friends/add", "Account of your friend"],
    ["group", `rooms/${group}/info`, "Members"],
    ["new-group", "rooms/new", "Group name"],
    ["settings", "settings", "Preferences"],
    ["profile", "settings/profile", "What others see"],
    ["password", "settings/password", "Present password"],
    ["devices", "settings/devices", "This device"],
    ["preferences", "settings/preferences", "Appearance"],
  ];
}

/** Ann, her friends, and what they say; made once for all looks. */
let made: Promise<{ ann: Account; group: string }> | undefined;
const village = () => (made ??= found());

async function found(): Promise<{ ann: Account; group: string }> {
  const who = (account: string, nickname: string) =>
    register(s.system.gateways[0]!.url, s.system.mail, account, nickname);
  const ann = await who("ann", "Ann");
  const [bob, cleo, lei] = [await who("bob", "Bob"), await who("cleo", "Cleo"), await who("lei", "李雷")];
  const rooms: string[] = [];
  for (const friend of [bob, cleo, lei]) rooms.push(await befriend(ann, friend));
  await post(lei, rooms[2]!, "明天见！👋");
  await post(cleo, rooms[1]!, "The photos are here: https://example.org/photos");
  await post(bob, rooms[0]!, "Do you still have my book?");
  const { id: group } = await ann.call<{ id: string }>("POST", "/rooms", {
    name: "Sunday hike",
    member_ids: [bob.userId, cleo.userId, lei.userId],
    client_id: "hike",
  });
  const lines: [Account, string][] = [
    [bob, "The forecast for Sunday is good. Shall we take the long way around the lake?"],
    [cleo, "Yes please!"],
    [cleo, "I can bring lunch for everyone 🥪"],
    [ann, "Then I bring the coffee. Nine o'clock at the station?"],
    [lei, "九点可以，我从城里坐车过来。"],
    [lei, "Nine is fine, I come by train."],
    [bob, "Perfect. The map is at https://example.org/map/lake if anyone wants to look ahead."],
    [ann, "Thanks!"],
    [ann, "See you on Sunday!"],
  ];
  for (const [from, text] of lines) await post(from, group, text);
  return { ann, group };
}

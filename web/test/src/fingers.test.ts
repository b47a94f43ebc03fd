import type { CDPSession, Locator } from "playwright-core";
import { expect, test } from "vitest";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

async function phone() {
  const [ann, bob] = await Promise.all([
    s.member("Ann", 0, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }),
    s.member("Bob", 1),
  ]);
  await ann.befriend(bob.account);
  return { ann, bob };
}

/** A finger in the middle of this, which stays until it is lifted. */
async function touch(cdp: CDPSession, what: Locator): Promise<() => Promise<void>> {
  const { x, y, width, height } = (await what.boundingBox())!;
  const touchPoints = [{ x: x + width / 2, y: y + height / 2 }];
  await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
  return async () => void (await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] }));
}

test("on a phone Enter begins a new line, and the button sends", async () => {
  const { ann, bob } = await phone();
  await ann.composer.pressSequentially("one");
  await ann.composer.press("Enter");
  await ann.composer.pressSequentially("two");
  await ann.button("Send").tap();
  await bob.open("Ann");
  await until("both lines arrive in one message", async () => {
    const shown = await bob.page.getByRole("article").allInnerTexts();
    return shown.length === 1 && shown[0]!.includes("one\ntwo");
  });
});

test("on a phone a tap on a message does nothing, and a long press opens its menu", async () => {
  const { ann } = await phone();
  await ann.say("hello");
  await ann.button("Message actions").waitFor({ state: "attached" });
  const cdp = await ann.context.newCDPSession(ann.page);
  const bubble = ann.message("hello").getByText("hello");
  const menu = ann.page.getByRole("menu", { name: "Message actions" });
  await bubble.tap();
  const lift = await touch(cdp, bubble);
  expect(await menu.count()).toBe(0);
  await menu.waitFor();
  await lift();
  await ann.page.getByRole("menuitem", { name: "Remove" }).tap();
  const ask = ann.page.getByRole("alertdialog", { name: "Remove this message?" });
  await ask.getByRole("button", { name: "Cancel" }).tap();
  await ask.waitFor({ state: "detached" });
  await ann.sees("hello");
});

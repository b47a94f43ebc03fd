import { expect, test } from "vitest";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

async function two() {
  const [ann, bob] = await Promise.all([s.member("Ann", 0), s.member("Bob", 1)]);
  await ann.befriend(bob.account);
  await bob.open("Ann");
  return { ann, bob };
}

test("markup stays text, and a link can do no harm", async () => {
  const { ann, bob } = await two();
  const markup = `<img src=x onerror="document.title='taken'"><b>bold</b> &amp; <script>document.title='taken'</script>`;
  await ann.say(markup);
  await ann.say("javascript:alert(1) and https://example.org/a?b=c.");
  for (const person of [ann, bob]) {
    await person.sees(markup);
    const message = person.message(markup);
    expect(await message.locator("img[src=x], b, script").count()).toBe(0);
    const link = person.page.getByRole("article").getByRole("link");
    await link.waitFor();
    expect(await link.count()).toBe(1);
    expect(await link.getAttribute("href")).toBe("https://example.org/a?b=c");
    expect(await link.getAttribute("rel")).toMatch(/noopener/);
    expect(await link.getAttribute("target")).toBe("_blank");
    expect(await person.page.title()).not.toContain("taken");
  }
});

test("Chinese and emoji arrive as they were written, and Enter sends nothing while a word is composed", async () => {
  const { ann, bob } = await two();
  const cdp = await ann.context.newCDPSession(ann.page);
  await ann.composer.focus();
  await cdp.send("Input.imeSetComposition", { text: "ni hao", selectionStart: 6, selectionEnd: 6 });
  // An input method takes Enter for itself: key code 229 while it composes.
  for (const type of ["rawKeyDown", "keyUp"] as const) {
    await cdp.send("Input.dispatchKeyEvent", { type, key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 });
  }
  await cdp.send("Input.insertText", { text: "你好" });
  expect(await ann.composer.inputValue()).toBe("你好");
  expect(await ann.page.getByRole("article").count()).toBe(0);
  await cdp.send("Input.insertText", { text: "，世界 👩‍👩‍👧‍👦🎉" });
  await ann.composer.press("Enter");
  await bob.sees("你好，世界 👩‍👩‍👧‍👦🎉");
  expect(await ann.composer.inputValue()).toBe("");
});

test("Shift and Enter begin a new line", async () => {
  const { ann, bob } = await two();
  await ann.composer.pressSequentially("one");
  await ann.composer.press("Shift+Enter");
  await ann.composer.pressSequentially("two");
  await ann.composer.press("Enter");
  await until("both lines arrive in one message", async () => {
    const shown = await bob.page.getByRole("article").allInnerTexts();
    return shown.length === 1 && shown[0]!.includes("one\ntwo");
  });
});

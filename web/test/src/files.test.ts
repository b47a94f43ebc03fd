import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

async function chat() {
  const [ann, bob] = await Promise.all([s.member("Ann", 0), s.member("Bob", 1)]);
  await ann.befriend(bob.account);
  return { ann, refused: ann.page.getByText("Files and pictures can't be sent yet.") };
}

/** Drops this file where it says, as from the desktop. */
async function drop(page: Page, x: number, y: number): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  const data = { items: [], files: [import.meta.filename], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await cdp.send("Input.dispatchDragEvent", { type, x, y, data });
  }
  await cdp.detach();
}

test("a file that is dropped, onto the composer or elsewhere, is refused and does not replace the app", async () => {
  const { ann, refused } = await chat();
  const place = ann.page.url();
  await drop(ann.page, 600, 300);
  await refused.waitFor();
  const field = (await ann.composer.boundingBox())!;
  await drop(ann.page, field.x + 20, field.y + 10);
  await until("the second one is refused, too", async () => (await refused.count()) === 2);
  expect(ann.page.url()).toBe(place);
  expect(await ann.composer.inputValue()).toBe("");
});

test("a pasted picture is refused; of a text with a picture the text is pasted", async () => {
  const { ann, refused } = await chat();
  await ann.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const copy = (text: string) =>
    ann.page.evaluate(async (words) => {
      const canvas = new OffscreenCanvas(8, 8);
      canvas.getContext("2d")!.fillRect(0, 0, 8, 8);
      const picture = await canvas.convertToBlob({ type: "image/png" });
      const both: Record<string, Blob> = words ? { "text/plain": new Blob([words], { type: "text/plain" }) } : {};
      await navigator.clipboard.write([new ClipboardItem({ "image/png": picture, ...both })]);
    }, text);
  await copy("a table's cells");
  await ann.composer.press("Control+V");
  await until("the text is pasted", async () => (await ann.composer.inputValue()) === "a table's cells");
  expect(await refused.count()).toBe(0);
  await copy("");
  await ann.composer.press("Control+V");
  await refused.waitFor();
  expect(await ann.composer.inputValue()).toBe("a table's cells");
});

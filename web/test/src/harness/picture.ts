import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { until } from "./wait";

/** Where pictures go; without it none are taken. */
const dir = process.env.SCREENS;
const quality = 75;

/** Takes a picture of the page for the documents, as small as it may be, once nothing moves any more. */
export async function picture(page: Page, name: string): Promise<void> {
  if (!dir) return;
  await page.mouse.move(0, 0); // nothing is pointed at
  const cdp = await page.context().newCDPSession(page);
  const take = async () => (await cdp.send("Page.captureScreenshot", { format: "webp", quality })).data;
  let last = "";
  const data = await until("the page rests", async () => {
    await page.evaluate(() => document.fonts.ready.then(() => new Promise(requestAnimationFrame)));
    const before = last;
    last = await take();
    return last === before && last;
  });
  await cdp.detach();
  await writeFile(join(dir, `${name}.webp`), Buffer.from(data, "base64"));
}

import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { stage } from "./harness/stage";

const s = stage();

async function box(of: Locator) {
  const found = await of.boundingBox();
  if (!found) throw new Error("it is not there");
  return { top: found.y, bottom: found.y + found.height };
}

test.each([
  ["a wide window", 1280],
  ["a phone", 360],
])(
  "on %s a notice covers neither the header, the newest message nor the composer, and goes with its place",
  async (_, width) => {
    const [ann, bob] = await Promise.all([
      s.member("Ann", 0, { viewport: { width, height: 640 } }),
      s.member("Bob", 1),
    ]);
    await ann.befriend(bob.account);
    const notice = ann.page.getByText("is now your friend.");
    await notice.waitFor();
    await ann.say("hello");
    await ann.sees("hello");
    const toast = await box(notice.locator(".."));
    expect(toast.top).toBeGreaterThanOrEqual((await box(ann.heading("Bob"))).bottom);
    expect(toast.bottom).toBeLessThan((await box(ann.message("hello"))).top);
    await ann.page.getByRole("link", { name: "About this contact" }).click();
    await ann.page.getByRole("heading", { name: "Contact" }).waitFor();
    expect(await notice.count()).toBe(0);
  },
);

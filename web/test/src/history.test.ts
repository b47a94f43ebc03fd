import { expect, test } from "vitest";
import { flood, friends, texts } from "./harness/crowd";
import { heap, mib } from "./harness/heap";
import type { Person } from "./harness/person";
import { report } from "./harness/report";
import { view, watch } from "./harness/scroll";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage({ GATEWAY_SENDS_PER_SECOND: "100000", GATEWAY_SEND_BURST: "100000" });

const count = Number(process.env.MESSAGES ?? 5_000);
const first = 1_000;
/** Rows beyond what is in view; all of them would be thousands. */
const mostRows = 200;
/** Layout may round a position; whoever reads must not lose the line, in pixels. */
const mostJump = 8;
/** What a browser may keep of messages that it has shown, in bytes. Each of them would be about a kilobyte. */
const mostKept = 3 << 20;

test(
  `${count} messages come while one looks on; memory stays, and all of them are found by scrolling back`,
  { timeout: 120_000 + 60 * count },
  async () => {
    const { a: ann, b: bob, room } = await friends(s.system, "ann", "bob");
    const page = await s.visitor("Bob", 1);
    await page.login(bob.account);
    await page.open("ann");
    const cdp = await page.context.newCDPSession(page.page);

    await receive(0, first);
    const early = await heap(cdp);
    await receive(first, count);
    const late = await heap(cdp);
    report(`heap after ${first} received messages: ${mib(early)} MiB; after ${count}: ${mib(late)} MiB`);
    expect(late - early).toBeLessThan(mostKept);
    expect(await page.page.getByRole("article").count()).toBeLessThan(mostRows);

    await page.page.reload();
    await page.open("ann");
    const all = await texts(ann, room);
    expect(all).toHaveLength(count + 2);
    await scrollBack(page, all);

    async function receive(from: number, to: number): Promise<void> {
      await flood(
        ann,
        room,
        Array.from({ length: to - from }, (_, i) => `message ${from + i + 1}`),
      );
      const last = `that was ${to}`;
      await flood(ann, room, [last]);
      await page.sees(last);
    }
  },
);

// Scrolls from the last message to the first, and holds what is seen against
// what there is.
async function scrollBack(person: Person, all: string[]): Promise<void> {
  await person.sees(all.at(-1)!);
  await person.page.getByRole("log", { name: "Messages" }).hover();
  const watched = await watch(person.page);
  for (let shown = (await view(person.page)).texts; shown[0] !== all[0];) {
    const top = shown[0];
    await person.page.mouse.wheel(0, -500);
    shown = await until(`what is earlier than ${top} is shown`, async () => {
      const now = await view(person.page);
      return now.whole && now.texts[0] !== top && now.texts;
    });
    const at = all.indexOf(shown[0]!);
    expect(shown).toEqual(all.slice(at, at + shown.length));
  }
  const { met, jump, frames, blank } = await watched();
  const share = ((100 * blank) / frames).toFixed(1);
  report(`scrolling back through ${all.length} messages: ${share} % of ${frames} frames had a part not drawn yet`);
  expect(met).toHaveLength(all.length);
  expect(jump).toBeLessThanOrEqual(mostJump);
}

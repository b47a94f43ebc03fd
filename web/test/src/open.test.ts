import { expect, test } from "vitest";
import { flood, friends } from "./harness/crowd";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

// Few long ones overflow only once they are measured.
test.for([
  [9, 300],
  [40, 10],
  [300, 10],
] as const)("a chat of %i messages of %i letters, all read, opens at its end", async ([count, length]) => {
  const { a: ann, b: bob, room } = await friends(s.system, "ann", "bob");
  await flood(
    ann,
    room,
    Array.from({ length: count }, (_, i) => `${i + 1} ${"long ".repeat(length / 5)}`),
  );
  await flood(ann, room, ["the very last one"]);
  await bob.call("PUT", `/rooms/${room}/read`, { seq: count + 1 });
  const page = await s.visitor("Bob", 0);
  await page.login(bob.account);
  await page.open("ann");
  await page.sees("the very last one");
  const last = page.message("the very last one");
  const composer = (await page.composer.boundingBox())!;
  await until("the last message stands above the composer", async () => {
    const box = await last.boundingBox();
    return box !== null && box.y + box.height <= composer.y;
  });
  expect(await page.button("To the newest").count()).toBe(0);
});

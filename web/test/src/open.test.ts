import { expect, test } from "vitest";
import { flood, friends } from "./harness/crowd";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

test.for([12, 40, 300])("a chat of %i messages that were read opens at its end", async (count) => {
  const { a: ann, b: bob, room } = await friends(s.system, "ann", "bob");
  await flood(
    ann,
    room,
    Array.from({ length: count }, (_, i) => `message ${i + 1}`),
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

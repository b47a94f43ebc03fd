import { expect, test } from "vitest";
import { flood, friends } from "./harness/crowd";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

async function chat(options?: Parameters<typeof s.visitor>[2]) {
  const { a, b, room } = await friends(s.system, "ann", "bob");
  await flood(
    a,
    room,
    Array.from({ length: 40 }, (_, i) => `line ${i + 1}`),
  );
  await b.call("PUT", `/rooms/${room}/read`, { seq: 40 });
  const bob = await s.visitor("Bob", 0, options);
  await bob.login(b.account);
  await bob.open("ann");
  await bob.sees("line 40");
  return { ann: a, bob, room };
}

test("the end stays in view while one writes several lines", async () => {
  const { ann, bob, room } = await chat({ viewport: { width: 360, height: 640 } });
  await bob.composer.fill("one\ntwo\nthree\nfour\nfive\nsix\nseven");
  await bob.composer.press("End");
  await bob.composer.pressSequentially(" and more");
  await flood(ann, room, ["what comes meanwhile"]);
  await bob.sees("what comes meanwhile");
  await until("the newest message is above the composer", async () => {
    const [last, composer] = await Promise.all([
      bob.message("what comes meanwhile").boundingBox(),
      bob.composer.boundingBox(),
    ]);
    return last !== null && composer !== null && last.y + last.height <= composer.y;
  });
  expect(await bob.button("To the newest").count()).toBe(0);
});

test("what comes while the window has no focus is unread until it has", async () => {
  const { ann, bob, room } = await chat();
  const focus = (has: boolean) =>
    bob.page.evaluate((value) => {
      document.hasFocus = () => value;
      window.dispatchEvent(new Event(value ? "focus" : "blur"));
    }, has);
  await focus(false);
  await flood(ann, room, ["while away"]);
  await bob.sees("while away");
  const line = bob.page.getByText("New messages", { exact: true });
  await line.waitFor();
  await until("the title counts it", async () => (await bob.page.title()).includes("1"));
  await focus(true);
  await until("it is read", async () => !(await bob.page.title()).includes("1"));
  expect(await line.count()).toBe(1);
  await bob.say("back again");
  await line.waitFor({ state: "detached" });
});

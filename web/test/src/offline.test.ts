import { expect, test } from "vitest";
import { stage } from "./harness/stage";

const s = stage();

test("offline no picture is missing", async () => {
  const ann = await s.member("Ann", 0);
  await ann.page.goto(`${ann.url}/#/friends/add`);
  await ann.page.reload();
  await ann.field("Account of your friend").waitFor();
  await ann.context.setOffline(true);
  await ann.go("Settings");
  await ann.page.getByText("Choose what to look at.").waitFor();
  const broken = () => [...document.images].filter((image) => image.complete && image.naturalWidth === 0).length;
  await ann.page.waitForFunction(() => [...document.images].every((image) => image.complete));
  expect(await ann.page.evaluate(broken)).toBe(0);
});

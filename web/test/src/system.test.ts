import { afterAll, beforeAll, expect, test } from "vitest";
import { register, type Account } from "./harness/api";
import { System } from "./harness/system";

let system: System;
beforeAll(async () => void (system = await System.start()));
afterAll(() => system?.close());

test("a system of several processes keeps what it was told while a gateway is killed", async () => {
  const [one, two] = system.gateways;
  const ann = await register(one!.url, system.mail, "ann");
  const bob = await register(two!.url, system.mail, "bob");
  await ann.call("POST", "/friends", { account: bob.account });
  await one!.process.kill();
  await expect(ann.call("GET", "/friends")).rejects.toThrow("fetch failed");
  await one!.process.start();
  const { items } = await ann.call<{ items: Account[] }>("GET", "/friends");
  expect(items).toHaveLength(1);
});

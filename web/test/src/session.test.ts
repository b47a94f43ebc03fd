import { expect, test } from "vitest";
import { call, password } from "./harness/api";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

// Tokens live so shortly that they are renewed again and again while a test runs.
const s = stage({ AUTH_ACCESS_TTL: "3s", AUTH_CODES_PER_MINUTE: "10" });

test("access tokens run out and are renewed, and nobody notices", async () => {
  const [ann, bob] = await Promise.all([s.member("Ann", 0), s.member("Bob", 1)]);
  let renewals = 0;
  ann.page.on("response", (r) => (renewals += Number(r.url().endsWith("/auth/refresh") && r.ok())));
  await ann.befriend(bob.account);
  await bob.open("Ann");
  const states = await statesOf(ann.page);
  for (let i = 0; i < 3; i++) {
    const before = renewals;
    await until("a token is renewed", () => renewals > before);
    await ann.say(`after ${i + 1} renewals`);
    await bob.sees(`after ${i + 1} renewals`);
  }
  expect(await states()).toEqual([]);
});

test("a device that is logged out from another one is told at once, and keeps nothing", async () => {
  const phone = await s.member("Ann", 0);
  const laptop = await s.visitor("Laptop", 1);
  await laptop.login(phone.account);
  await laptop.go("Settings");
  await laptop.link("Devices").click();
  await laptop.page
    .getByRole("button", { name: /^Log out / })
    .first()
    .click();
  await laptop.page
    .getByRole("alertdialog")
    .or(laptop.page.getByRole("dialog"))
    .getByRole("button", { name: "Log out" })
    .click();
  await phone.page.getByText("You were logged out").waitFor();
  expect(await phone.page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain("refresh");
  expect(await laptop.navigation.isVisible()).toBe(true);
});

test("a password is reset with a mailed code, and the old one serves no more", async () => {
  const ann = await s.member("Ann", 0);
  const again = await s.visitor("Again", 1);
  await again.link("Forgot your password?").click();
  await again.field("E-mail").fill(ann.email);
  await again.button("Send code").click();
  await again.field("Code").fill(await s.system.mail.code(ann.email));
  await again.field("New password").fill("a wholly new one");
  await again.button("Set new password").click();
  await ann.page.getByText("You were logged out").waitFor();
  const login = (secret: string) =>
    call(s.system.gateways[0]!.url, "POST", "/auth/login", { account: ann.account, password: secret });
  await expect(login(password)).rejects.toThrow("401");
  await login("a wholly new one");
});

// Notes every state of the connection but connected from now on.
async function statesOf(page: import("playwright-core").Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const noted: string[] = [];
    Object.assign(window, { noted });
    const status = document.querySelector('[role="status"][aria-label="Connection"]')!;
    new MutationObserver(() => {
      if (status.textContent !== "Connected") noted.push(status.textContent ?? "");
    }).observe(status, { childList: true, characterData: true, subtree: true });
  });
  return () => page.evaluate(() => (window as unknown as { noted: string[] }).noted);
}

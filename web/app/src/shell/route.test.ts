import { expect, test } from "vitest";
import { back, navigate, parsePath } from "./route";

/** Does it, and waits until the place has changed. */
function after(act: () => void): Promise<string> {
  return new Promise((resolve) => {
    window.addEventListener("hashchange", () => resolve(location.hash), { once: true });
    act();
  });
}

test("back from a place that was opened by its address goes to the one above instead of it", async () => {
  await after(() => navigate(["settings", "profile"]));
  const entries = history.length;
  expect(await after(() => back("#/settings"))).toBe("#/settings");
  expect(history.length).toBe(entries);
  expect(await after(() => history.back())).not.toBe("#/settings/profile");
});

test("a place is the parts of the hash", () => {
  expect(parsePath("#/rooms/a%20b/info")).toEqual(["rooms", "a b", "info"]);
  expect(parsePath("")).toEqual([]);
  expect(parsePath("#/rooms/%E0%A4%A")).toEqual(["rooms", "%E0%A4%A"]);
});

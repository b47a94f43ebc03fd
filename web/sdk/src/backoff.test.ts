import { expect, test } from "vitest";
import { Backoff } from "./backoff.js";

test("pauses grow up to their bound, and are by chance", () => {
  const chances = [0.5, 0.5, 0.5, 0.25];
  const backoff = new Backoff(300, () => chances.shift() ?? 0);
  expect([1, 2, 3, 4].map(() => backoff.next())).toEqual([50, 100, 150, 75]);
  backoff.reset();
  expect(backoff.next(7)).toBe(7);
});

test("what is asked for is waited for, but not more than a minute, nor so long that timers overflow", () => {
  const backoff = new Backoff(100, () => 0);
  expect([59_000, 61_000, 1e12].map((ms) => backoff.next(ms))).toEqual([59_000, 60_000, 60_000]);
});

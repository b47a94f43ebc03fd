import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Burst } from "./burst";

let taken: number[][];
let burst: Burst<number>;

beforeEach(() => {
  vi.useFakeTimers();
  taken = [];
  burst = new Burst((things) => taken.push([...things]));
});

afterEach(() => {
  vi.useRealTimers();
});

test("what comes alone is handed on at once", () => {
  burst.add(1);
  vi.advanceTimersByTime(100);
  burst.add(2);
  expect(taken).toEqual([[1], [2]]);
});

test("what comes together is handed on together, in order, all of it", () => {
  [1, 2, 3, 4].forEach((n) => burst.add(n));
  expect(taken).toEqual([[1]]);
  vi.advanceTimersByTime(100);
  expect(taken).toEqual([[1], [2, 3, 4]]);
});

test("what waits is handed on before what comes after it", () => {
  burst.add(1);
  burst.add(2);
  burst.flush();
  expect(taken).toEqual([[1], [2]]);
  vi.advanceTimersByTime(100);
  expect(taken).toHaveLength(2);
});

test("nothing comes after it was dropped", () => {
  burst.add(1);
  burst.add(2);
  burst.drop();
  vi.advanceTimersByTime(100);
  expect(taken).toEqual([[1]]);
});

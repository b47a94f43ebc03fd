import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { day } from "./time";
import { useToday } from "./today";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date(2026, 2, 4, 23, 59, 30) });
});
afterEach(() => {
  vi.useRealTimers();
});

const useTold = () => {
  useToday();
  return day(new Date(2026, 2, 4, 12).toISOString());
};

test("at midnight what was today is yesterday", () => {
  const { result } = renderHook(useTold);
  expect(result.current).toBe("Today");
  act(() => void vi.advanceTimersByTime(31_000));
  expect(result.current).toBe("Yesterday");
  act(() => void vi.advanceTimersByTime(24 * 3_600_000));
  expect(result.current).toBe("Wednesday");
});

test("a machine that slept over midnight tells it when the page is looked at again", () => {
  const { result, unmount } = renderHook(useTold);
  vi.setSystemTime(new Date(2026, 2, 5, 8));
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
  expect(result.current).toBe("Yesterday");
  unmount();
  expect(vi.getTimerCount()).toBe(0);
});

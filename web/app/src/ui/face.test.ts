import { expect, test } from "vitest";
import { colourOf, colours, initials } from "./face";

test.each([
  ["Ann Lee", "AL"],
  ["ann", "A"],
  ["Emil von und zu Hohenstein", "EH"],
  ["ann_lee.jr", "AJ"],
  ["王小明", "小明"],
  ["李雷", "李雷"],
  ["李", "李"],
  ["🐼 Panda", "🐼P"],
  ["👩‍👩‍👧 Home", "👩‍👩‍👧H"],
  ["émile", "É"],
  ["", "?"],
  ["  ", "?"],
])("%o is %o", (name, letters) => expect(initials(name)).toBe(letters));

test("a colour stays, and all of them are used", () => {
  expect(colourOf("01hzx3v8e9k6m2q4r5t7w8y9za")).toBe(colourOf("01hzx3v8e9k6m2q4r5t7w8y9za"));
  const used = new Set(Array.from({ length: 500 }, (_, i) => colourOf(`user-${i}`)));
  expect([...used].sort()).toEqual(Array.from({ length: colours }, (_, i) => i));
});

import { expect, test } from "vitest";
import en from "./en.json";
import zh from "./zh.json";

// Plural forms differ between languages: "rooms.unread_one" is "rooms.unread".
const stems = (keys: object) =>
  [...new Set(Object.keys(keys).map((key) => key.replace(/_(zero|one|two|few|many|other)$/, "")))].sort();

const holes = (text: string) => [...text.matchAll(/{{\s*(\w+)/g)].map((m) => m[1]).sort();

test("English and Chinese have the same keys", () => {
  expect(stems(zh)).toEqual(stems(en));
});

test("no text is empty, and both languages fill in the same values", () => {
  const english: Record<string, string> = en;
  const chinese: Record<string, string> = zh;
  for (const [key, text] of Object.entries(english)) {
    expect(text.trim(), key).not.toBe("");
    const other = chinese[key];
    if (other !== undefined) {
      expect(holes(other), key).toEqual(holes(text));
    }
  }
});

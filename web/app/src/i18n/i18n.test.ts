import { act, render } from "@testing-library/react";
import { createElement } from "react";
import { expect, test } from "vitest";
import { changeLanguage, translators, useTranslation } from ".";
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

/** The app's own sources, with their texts. */
const sources = import.meta.glob<string>(["../**/*.{ts,tsx}", "!../**/*.test.*", "!../test/*"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const code = Object.values(sources).join("\n");

test("every key that is used is there, and every key that is there is used", () => {
  expect(Object.keys(sources).length).toBeGreaterThan(50);
  // Whole keys, and the beginnings of those that are put together: `groups.role_${role}`.
  const used = new Set([...code.matchAll(/["`]([a-z]+\.[a-z_0-9]+)["`]/g)].map((m) => m[1]!));
  const begun = [...code.matchAll(/`([a-z]+\.[a-z_0-9]*)\$\{/g)].map((m) => m[1]!);
  const keys = Object.keys(en);
  const known = new Set([...keys, ...stems(en)]);
  const groups = new Set(keys.map((key) => key.split(".")[0]));
  expect([...used].filter((key) => groups.has(key.split(".")[0]) && !known.has(key))).toEqual([]);
  expect(begun.filter((start) => !keys.some((key) => key.startsWith(start)))).toEqual([]);
  const isUsed = (key: string) => used.has(key) || used.has(stems({ [key]: "" })[0]!);
  expect(keys.filter((key) => !isUsed(key) && !begun.some((start) => key.startsWith(start)))).toEqual([]);
});

test("no key stands twice in a file", async () => {
  const files = import.meta.glob<string>("./*.json", { query: "?raw", import: "default" });
  expect(Object.keys(files)).toHaveLength(2);
  for (const [name, read] of Object.entries(files)) {
    const keys = [...(await read()).matchAll(/^ {2}"([^"]+)":/gm)].map((m) => m[1]!);
    expect(keys.length, name).toBeGreaterThan(100);
    expect(
      keys.filter((key, i) => keys.indexOf(key) !== i),
      name,
    ).toEqual([]);
  }
});

test("a count chooses the plural form, and values fill the holes as they are", () => {
  const { en: t, zh } = translators;
  expect([0, 1, 2].map((count) => t("rooms.unread", { count }))).toEqual([
    "0 unread messages",
    "1 unread message",
    "2 unread messages",
  ]);
  expect(zh("rooms.unread", { count: 1 })).toMatch(/^1 ?\p{Script=Han}/u);
  expect(t("rooms.by_me", { text: "$& {{name}} $t(nav.rooms)" })).toBe("You: $& {{name}} $t(nav.rooms)");
  expect(t("rooms.by_other", { name: "{{text}}", text: "hi" })).toBe("{{text}}: hi");
});

test("what people wrote does not turn the sentence around it", () => {
  const { en: t, zh } = translators;
  const [name, text] = ["דני!", "سلام"];
  expect(t("rooms.by_other", { name, text })).toBe(`\u2068${name}\u2069: \u2068${text}\u2069`);
  expect(zh("rooms.by_other", { name, text })).toBe(`\u2068${name}\u2069：\u2068${text}\u2069`);
  expect(t("friends.added", { name: "\u202eBob\u2069\u2067" })).toBe("Bob is now your friend.");
  expect(t("friends.added", { name: `\u2069${name}\u202b` })).toBe(`\u2068${name}\u2069 is now your friend.`);
});

test("a change of the language is drawn at once, and told to the document", () => {
  const Text = () => useTranslation().t("nav.rooms");
  const { container } = render(createElement(Text));
  expect(container.textContent).toBe(en["nav.rooms"]);
  act(() => changeLanguage("zh"));
  expect(container.textContent).toBe(zh["nav.rooms"]);
  expect(document.documentElement.lang).toBe("zh");
  act(() => changeLanguage("en"));
});

import { expect, test } from "vitest";
import { isEmoji } from "./emoji";
import { tokens } from "./links";

const links = (text: string) => tokens(text).flatMap((token) => token.href ?? []);

test.each([
  ["see https://example.org", ["https://example.org/"]],
  ["https://example.org/a?b=c#d, and more", ["https://example.org/a?b=c#d"]],
  ["Really? (https://example.org/tea)", ["https://example.org/tea"]],
  ["https://en.wikipedia.org/wiki/Tea_(meal).", ["https://en.wikipedia.org/wiki/Tea_(meal)"]],
  ["两个：https://example.org/茶，http://example.com。", ["https://example.org/%E8%8C%B6", "http://example.com/"]],
  ['<a href="https://example.org/x">x</a>', ["https://example.org/x"]],
  ["see www.example.org/tea, or 看www.example.com。", ["https://www.example.org/tea", "https://www.example.com/"]],
  ["HTTPS://EXAMPLE.ORG/A", ["https://example.org/A"]],
  ["https://example.org!!!", ["https://example.org/"]],
])("finds the addresses of %s", (text, found) => {
  expect(links(text)).toEqual(found);
});

test.each([
  "javascript:alert(1)",
  "data:text/html,x",
  "file:///etc/passwd",
  "ftp://example.org",
  "https://",
  "http://:80",
  "mailto:a@b.c",
  "ann@www.example.org",
  "www.",
  "www.example",
  "a.www.example.org",
])("%s is no link", (text) => {
  expect(links(text)).toEqual([]);
});

test.each(["", "plain", "a https://example.org/b) c", "https://a.b https://c.d", "汉字https://a.b。😀", "https://"])(
  "the pieces of %j are the text again",
  (text) => {
    expect(
      tokens(text)
        .map((token) => token.text)
        .join(""),
    ).toBe(text);
  },
);

test("brackets that the address did not open are not its own, however many", () => {
  expect(links(`https://example.org/${")".repeat(3_900)}`)).toEqual(["https://example.org/"]);
  expect(links("([https://example.org/(a)])")).toEqual(["https://example.org/(a)"]);
});

test("a few emoji are drawn large, numbers and words are not", () => {
  expect(["👍", "🎉 🎉", "👩‍👩‍👧‍👦", "🇨🇳", "❤️", "1️⃣", "✌🏽"].map(isEmoji)).not.toContain(false);
  expect(["©", "™", "‼", "©™"].map(isEmoji)).not.toContain(true);
  expect(["1", "#", "ok 👍", "👍👍👍👍", "", " "].map(isEmoji)).toEqual([false, false, false, false, false, false]);
});

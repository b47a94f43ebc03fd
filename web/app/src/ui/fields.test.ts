import { expect, test } from "vitest";
import { translators } from "../i18n";
import {
  checkAccount,
  checkEmail,
  checkNickname,
  checkPassword,
  checkRoomName,
  digitsOf,
  suggestAccount,
} from "./fields";

const t = translators.en;

test.each([
  ["123456", "123456"],
  ["Your code: 123 456.", "123456"],
  ["１２３４５６", "123456"],
  ["12", "12"],
  ["1234567890", "123456"],
  ["none", ""],
])("of %o the digits are %o", (text, digits) => expect(digitsOf(text)).toBe(digits));

test.each([
  ["ann@example.org", "ann"],
  ["Ann.Lee+im@example.org", "ann.lee"],
  ["ann-lee@example.org", "ann_lee"],
  ["1st@example.org", ""],
  ["42ann@example.org", "ann"],
  ["李雷@example.org", ""],
  ["", ""],
  [`${"a".repeat(60)}@example.org`, "a".repeat(32)],
])("of %o the account %o is suggested, which is one", (address, account) => {
  expect(suggestAccount(address)).toBe(account);
  if (account) expect(checkAccount(t, account)).toBeUndefined();
});

test("what the server takes is taken here, too", () => {
  expect(checkAccount(t, " Ann_1.x ")).toBeUndefined();
  expect(checkEmail(t, "ann@localhost")).toBeUndefined();
  expect(checkPassword(t, "密码密码密码密码")).toBeUndefined();
  expect(checkPassword(t, "🐼".repeat(128))).toBeUndefined();
  expect(checkNickname(t, "", 0)).toBeUndefined();
  expect(checkRoomName(t, " 茶 ")).toBeUndefined();
});

test("what the server refuses is refused here", () => {
  for (const account of ["ab", "1ab", "a b c", "a".repeat(33), "änn"]) expect(checkAccount(t, account)).toBeTruthy();
  for (const email of ["ann", "ann@", "a b@example.org", "@example.org"]) expect(checkEmail(t, email)).toBeTruthy();
  expect(checkPassword(t, "🐼".repeat(7))).toBeTruthy();
  expect(checkPassword(t, "x".repeat(129))).toBeTruthy();
  expect(checkNickname(t, "  ", 1)).toBeTruthy();
  expect(checkRoomName(t, " ")).toBeTruthy();
  expect(checkRoomName(t, "x".repeat(65))).toBeTruthy();
});

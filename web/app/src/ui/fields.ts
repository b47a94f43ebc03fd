import type { TFunction } from "../i18n";

/*
 * The API's rules of what is typed in, told before it is sent. They follow
 * services/auth/check.go and services/social/check.go; the server has the last word.
 */

type Check = string | undefined;

const account = /^[a-z][a-z0-9_.]{2,31}$/;
const email = /^[^\s@]+@[^\s@]+$/;

/** Characters as the server counts them: code points. */
export function lengthOf(text: string): number {
  return [...text].length;
}

export function checkAccount(t: TFunction, value: string): Check {
  return account.test(value.trim().toLowerCase()) ? undefined : t("field.account_form");
}

export function checkEmail(t: TFunction, value: string): Check {
  return email.test(value.trim()) ? undefined : t("field.email_form");
}

export function checkCode(t: TFunction, value: string): Check {
  return /^[0-9]{6}$/.test(value) ? undefined : t("field.code_form");
}

export function checkPassword(t: TFunction, value: string): Check {
  const n = lengthOf(value);
  return n >= 8 && n <= 128 ? undefined : t("field.password_form");
}

export function checkNickname(t: TFunction, value: string, least: 0 | 1): Check {
  const n = lengthOf(value.trim());
  return n >= least && n <= 64 ? undefined : t("field.nickname_form");
}

export function checkRoomName(t: TFunction, value: string): Check {
  const n = lengthOf(value.trim());
  return n >= 1 && n <= 64 ? undefined : t("field.room_name_form");
}

/** The six digits of what was typed or pasted: "Your code: 123 456" is 123456. */
export function digitsOf(text: string): string {
  // Full-width digits come out of Chinese and Japanese keyboards.
  return text.normalize("NFKC").replace(/\D/g, "").slice(0, 6);
}

/** An account made of an e-mail's name, as a first suggestion; empty when nothing fits. */
export function suggestAccount(address: string): string {
  const name = (address.split("@")[0] ?? "").split("+")[0] ?? "";
  const fit = name
    .toLowerCase()
    .replace(/-/g, "_")
    .replace(/[^a-z0-9_.]/g, "")
    .replace(/^[^a-z]+/, "")
    .slice(0, 32);
  return fit.length >= 3 ? fit : "";
}

import { ParleyError, type ErrorCode } from "@parley-im/sdk";
import { expect, test } from "vitest";
import { languages, translators } from "../i18n";
import { fieldText, problemText } from "./problem";

const codes: ErrorCode[] = [
  "invalid_argument",
  "unauthenticated",
  "permission_denied",
  "not_found",
  "already_exists",
  "failed_precondition",
  "payload_too_large",
  "resource_exhausted",
  "internal",
  "unavailable",
  "deadline_exceeded",
];

test.each(languages)("every refusal has words in %s, and none of the server's", (language) => {
  const t = translators[language];
  for (const code of codes) {
    const text = problemText(t, new ParleyError(code, "the server's words", { status: 400 }));
    expect(text, code).toMatch(language === "en" ? /^[A-Z].*\.$/ : /^\p{Script=Han}.*。$/u);
  }
  expect(problemText(t, new TypeError("x"))).toBeTruthy();
});

test.each([
  [900, "1 second"],
  [42_000, "42 seconds"],
  [120_000, "120 seconds"],
  [121_000, "3 minutes"],
  [3_600_000, "60 minutes"],
])("to wait %i ms is %s", (retryAfterMs, words) => {
  expect(problemText(translators.en, new ParleyError("resource_exhausted", "", { retryAfterMs }))).toContain(words);
});

test("nobody there is told from a server that is busy", () => {
  const away = problemText(translators.en, new ParleyError("unavailable", ""));
  const busy = problemText(translators.en, new ParleyError("unavailable", "", { status: 503 }));
  expect(away).not.toBe(busy);
});

test("a field's complaint is found, also of one of its entries, and only there", () => {
  const error = new ParleyError("invalid_argument", "", {
    fields: [
      { field: "code", detail: "is wrong" },
      { field: "member_ids[3]", detail: "must be an id" },
    ],
  });
  expect(fieldText(translators.en, "code", error)).toBe("This code is wrong or has expired.");
  expect(fieldText(translators.en, "member_ids", error)).toBe("must be an id");
  expect(fieldText(translators.en, "password", error)).toBeUndefined();
});

import { ParleyError } from "@parley-im/sdk";
import type { TFunction } from "../i18n";

/** What went wrong, for people. The server's own words are English and for developers. */
export function problemText(t: TFunction, error: unknown): string {
  if (!(error instanceof ParleyError)) return t("problem.unknown");
  switch (error.code) {
    case "resource_exhausted":
      return error.retryAfterMs
        ? t("problem.too_often_wait", { wait: waitText(t, error.retryAfterMs) })
        : t("problem.too_often");
    case "unavailable":
      return error.status === undefined ? t("problem.unreachable") : t("problem.unavailable");
    case "deadline_exceeded":
      return t("problem.timeout");
    case "permission_denied":
      return t("problem.denied");
    case "not_found":
      return t("problem.gone");
    case "already_exists":
    case "failed_precondition":
      return t("problem.changed");
    case "unauthenticated":
      return t("problem.signed_out");
    case "invalid_argument":
    case "payload_too_large":
      return t("problem.invalid");
    default:
      return t("problem.internal");
  }
}

/** A time to wait: seconds up to two minutes, then minutes. */
export function waitText(t: TFunction, ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds <= 120 ? t("wait.seconds", { count: seconds }) : t("wait.minutes", { count: Math.ceil(seconds / 60) });
}

/**
 * What is wrong with a field, by what the server refuses. The app checks
 * forms itself before it sends, so that what is left is mostly what only the
 * server can know.
 */
export function fieldText(t: TFunction, field: string, error: ParleyError): string | undefined {
  const complaint = error.fields.find((f) => f.field === field || f.field.startsWith(field + "["));
  if (!complaint) return undefined;
  switch (field) {
    case "account":
      return error.code === "already_exists" ? t("field.account_taken") : t("field.account_form");
    case "email":
      return error.code === "already_exists" ? t("field.email_taken") : t("field.email_form");
    case "code":
      return t("field.code_wrong");
    case "password":
    case "new_password":
      return t("field.password_easy");
    case "old_password":
      return t("field.old_password_wrong");
    case "nickname":
      return t("field.nickname_form");
    case "name":
      return t("field.room_name_form");
    default:
      return complaint.detail;
  }
}

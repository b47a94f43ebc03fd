import { isCode, ParleyError } from "@parley-im/sdk";
import type { TFunction } from "../i18n";

/** What is wrong with adding people to a group, where the usual words would mislead. */
export function explainMembers(t: TFunction, error: unknown): { text: string } | undefined {
  if (isCode(error, "failed_precondition")) return { text: t("groups.full") };
  if (isCode(error, "permission_denied")) return { text: t("groups.not_friends") };
  // It is not too often: someone is in as many rooms as may be.
  if (error instanceof ParleyError && error.code === "resource_exhausted" && error.fields.length > 0) {
    return { text: t("groups.too_many_rooms") };
  }
  return undefined;
}

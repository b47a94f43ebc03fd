import { ParleyError } from "@parley-im/sdk";
import { useEffect } from "react";
import { useTranslation } from "../i18n";
import { Notice } from "./Notice";
import { problemText } from "./problem";
import { useCountdown } from "./useCountdown";

/** What went wrong, or nothing. Who must wait sees the seconds pass; they are announced once. */
export function Problem({ error, text }: { error?: unknown; text?: string | undefined }) {
  const { t } = useTranslation();
  const { seconds, restart } = useCountdown();
  const wait = error instanceof ParleyError && error.code === "resource_exhausted" ? (error.retryAfterMs ?? 0) : 0;
  useEffect(() => restart(wait), [error, wait, restart]);
  if (!error && !text) return null;
  if (!text && wait > 0) {
    return (
      <Notice kind="error">
        <span className="hidden-text">{problemText(t, error)}</span>
        <span aria-hidden="true">
          {seconds > 0 ? problemText(t, again(error as ParleyError, seconds)) : t("problem.try_now")}
        </span>
      </Notice>
    );
  }
  return <Notice kind="error">{text ?? problemText(t, error)}</Notice>;
}

/** The same refusal, with what is left of its time. */
function again(error: ParleyError, seconds: number): ParleyError {
  return new ParleyError(error.code, error.message, { retryAfterMs: seconds * 1000 });
}

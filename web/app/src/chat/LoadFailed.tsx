import { useTranslation } from "../i18n";
import style from "./MessageLog.module.css";

/** Tells that messages could not be read, with a way to try again. */
export function LoadFailed({ onRetry }: { onRetry: () => void }) {
  const { t } = useTranslation();
  return (
    <p className={style.failed} role="alert">
      {t("chat.load_failed")}{" "}
      <button type="button" className="word" onClick={onRetry}>
        {t("chat.retry")}
      </button>
    </p>
  );
}

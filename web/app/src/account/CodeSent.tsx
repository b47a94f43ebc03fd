import { useState } from "react";
import { useTranslation } from "../i18n";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { Problem } from "../ui/Problem";
import type { MailedCode } from "./useCode";
import css from "./Account.module.css";

/** Without a mail server Parley writes codes to its log; that is how it runs on one's own machine. */
const onThisMachine = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname);

/** Says where the code went, and offers another one. */
export function CodeSent({ code, email }: { code: MailedCode; email: string }) {
  const { t } = useTranslation();
  const [error, setError] = useState<unknown>(null);
  const [pending, setPending] = useState(false);

  async function resend(form: Element | null) {
    setPending(true);
    setError(null);
    try {
      await code.send(email);
      // The button rests now; the next thing to do is there.
      form?.querySelector<HTMLElement>("input[name=code]")?.focus();
    } catch (e) {
      setError(e);
    }
    setPending(false);
  }

  return (
    <>
      <Notice>
        <div className={css.sent}>
          <span>
            {t("code.sent_to")} <strong>{email}</strong>
          </span>
          {onThisMachine && <span className={css.trial}>{t("code.trial")}</span>}
        </div>
      </Notice>
      <div className={css.again}>
        <Button
          kind="quiet"
          onPress={(e) => void resend(e.target.closest("form"))}
          isDisabled={code.wait > 0}
          isPending={pending}
        >
          {code.wait > 0 ? t("code.again_in", { seconds: code.wait }) : t("code.again")}
        </Button>
        <Button kind="quiet" onPress={code.change}>
          {t("code.change")}
        </Button>
      </div>
      <Problem error={error} />
    </>
  );
}

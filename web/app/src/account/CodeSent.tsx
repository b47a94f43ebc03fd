import { useState } from "react";
import { useTranslation } from "react-i18next";
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

  async function resend() {
    if (code.wait > 0) return;
    setPending(true);
    setError(null);
    await code.send(email).catch(setError);
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
        <Button kind="quiet" onPress={() => void resend()} isDisabled={code.wait > 0} isPending={pending}>
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

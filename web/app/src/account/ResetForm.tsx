import { useRef } from "react";
import { useTranslation } from "../i18n";
import { navigate } from "../shell/route";
import { parley } from "../store/parley";
import { beginSession } from "../store/session";
import { Button } from "../ui/Button";
import { checkCode, checkPassword } from "../ui/fields";
import { Form } from "../ui/Form";
import { PasswordField } from "../ui/PasswordField";
import { Problem } from "../ui/Problem";
import { toast } from "../ui/toasts";
import { useForm } from "../ui/useForm";
import { CodeField } from "./CodeField";
import { CodeSent } from "./CodeSent";
import { deviceName } from "./device";
import { EmailStep } from "./EmailStep";
import { useCode, type MailedCode } from "./useCode";

/** A new password by mailed code; whoever has set one is signed in with it. */
export function ResetForm() {
  const { t } = useTranslation();
  const code = useCode("reset_password");
  if (code.sentTo === null) return <EmailStep code={code} title={t("reset.title")} initial={code.last} />;
  return <NewPassword key={code.sentTo} mailed={code} email={code.sentTo} />;
}

function NewPassword({ mailed, email }: { mailed: MailedCode; email: string }) {
  const { t } = useTranslation();
  // The code serves once: what was set with it is only logged in with when that failed before.
  const set = useRef<string | null>(null);
  const form = useForm({
    initial: { code: "", password: "" },
    check: ({ code, password }) => ({ code: checkCode(t, code), password: checkPassword(t, password) }),
    send: async ({ code, password }) => {
      if (set.current !== password) await parley.resetPassword({ email, code, password });
      set.current = password;
      beginSession(await parley.login({ account: email, password, device_name: deviceName() }));
      navigate(["rooms"], { replace: true });
      toast("reset.done");
    },
  });

  return (
    <Form form={form} label={t("reset.title")}>
      <CodeSent code={mailed} email={email} />
      {/* Tells password managers whose password this is. */}
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      <CodeField {...form.bind("code")} />
      <PasswordField
        label={t("field.new_password")}
        autoComplete="new-password"
        hint={t("field.password_hint")}
        {...form.bind("password")}
      />
      <Problem {...form.problem} />
      <Button type="submit" kind="primary" wide isPending={form.pending}>
        {t("reset.submit")}
      </Button>
    </Form>
  );
}

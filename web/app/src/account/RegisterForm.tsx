import { useState } from "react";
import { useTranslation } from "../i18n";
import { parley } from "../store/parley";
import { beginSession } from "../store/session";
import { Button } from "../ui/Button";
import { checkAccount, checkCode, checkNickname, checkPassword, suggestAccount } from "../ui/fields";
import { Form } from "../ui/Form";
import { PasswordField } from "../ui/PasswordField";
import { Problem } from "../ui/Problem";
import { TextField } from "../ui/TextField";
import { useForm } from "../ui/useForm";
import { CodeField } from "./CodeField";
import { CodeSent } from "./CodeSent";
import { deviceName } from "./device";
import { EmailStep } from "./EmailStep";
import { useCode, type MailedCode } from "./useCode";

/** An account in two steps: the e-mail address, then the code mailed there and the rest. */
export function RegisterForm() {
  const { t } = useTranslation();
  const code = useCode("register");
  if (code.sentTo === null) return <EmailStep code={code} title={t("register.title")} initial={code.last} />;
  return <Details key={code.sentTo} mailed={code} email={code.sentTo} />;
}

function Details({ mailed, email }: { mailed: MailedCode; email: string }) {
  const { t } = useTranslation();
  const [suggested] = useState(() => suggestAccount(email));
  const form = useForm({
    // The e-mail is no field any more, but may turn out to be taken.
    initial: { code: "", account: suggested, nickname: "", password: "", email },
    check: ({ code, account, nickname, password }) => ({
      code: checkCode(t, code),
      account: checkAccount(t, account),
      nickname: checkNickname(t, nickname, 0),
      password: checkPassword(t, password),
    }),
    send: async ({ code, account, nickname, password }) =>
      beginSession(
        await parley.register({
          email,
          code,
          account: account.trim(),
          password,
          nickname: nickname.trim(),
          device_name: deviceName(),
        }),
      ),
  });

  return (
    <Form form={form} label={t("register.title")}>
      <CodeSent code={mailed} email={email} />
      <CodeField {...form.bind("code")} />
      <TextField
        label={t("field.account")}
        autoComplete="username"
        verbatim
        hint={t("field.account_hint")}
        {...form.bind("account")}
      />
      <TextField
        label={t("field.nickname_optional")}
        autoComplete="nickname"
        placeholder={form.values.account}
        {...form.bind("nickname")}
      />
      <PasswordField
        label={t("field.password")}
        autoComplete="new-password"
        hint={t("field.password_hint")}
        {...form.bind("password")}
      />
      <Problem {...form.problem} text={form.errors.email ?? form.problem?.text} />
      <Button type="submit" kind="primary" wide isPending={form.pending}>
        {t("register.submit")}
      </Button>
    </Form>
  );
}

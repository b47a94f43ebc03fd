import { isCode } from "@parley-im/sdk";
import { useTranslation } from "../i18n";
import { href } from "../shell/route";
import { parley } from "../store/parley";
import { beginSession, useSession } from "../store/session";
import { Button } from "../ui/Button";
import { Form } from "../ui/Form";
import { Notice } from "../ui/Notice";
import { PasswordField } from "../ui/PasswordField";
import { Problem } from "../ui/Problem";
import { TextField } from "../ui/TextField";
import { useForm } from "../ui/useForm";
import { deviceName } from "./device";
import css from "./Account.module.css";

export function LoginForm() {
  const { t } = useTranslation();
  const ended = useSession((s) => s.ended);
  const form = useForm({
    initial: { account: "", password: "" },
    check: ({ account, password }) => ({
      account: account.trim() ? undefined : t("field.account_needed"),
      password: password ? undefined : t("field.password_needed"),
    }),
    send: async ({ account, password }) =>
      beginSession(await parley.login({ account: account.trim(), password, device_name: deviceName() })),
    explain: (error) => (isCode(error, "unauthenticated") ? { field: "password", text: t("login.wrong") } : undefined),
  });

  return (
    <Form form={form} label={t("login.title")}>
      {(ended === "revoked" || ended === "expired") && !form.problem && <Notice>{t(`login.${ended}`)}</Notice>}
      <TextField
        label={t("field.account_or_email")}
        autoComplete="username"
        verbatim
        autoFocus
        {...form.bind("account")}
      />
      <PasswordField label={t("field.password")} autoComplete="current-password" {...form.bind("password")} />
      <a className={`${css.forgot} word`} href={href("reset")}>
        {t("login.forgot")}
      </a>
      <Problem {...form.problem} />
      <Button type="submit" kind="primary" wide isPending={form.pending}>
        {t("login.title")}
      </Button>
    </Form>
  );
}

import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href } from "../shell/route";
import { currentSession, useSession } from "../store/session";
import { Button } from "../ui/Button";
import { checkPassword } from "../ui/fields";
import { Form } from "../ui/Form";
import { PaneBody, Section } from "../ui/Pane";
import { PasswordField } from "../ui/PasswordField";
import { Problem } from "../ui/Problem";
import { toast } from "../ui/toasts";
import { useForm } from "../ui/useForm";
import css from "./Settings.module.css";

/** A new password, with the old one. */
export function PasswordPane() {
  const { t } = useTranslation();
  const account = useSession((s) => s.user?.account ?? "");
  const form = useForm({
    initial: { old_password: "", new_password: "" },
    check: (values) => ({
      old_password: values.old_password ? undefined : t("field.password_needed"),
      new_password: checkPassword(t, values.new_password),
    }),
    send: async (values) => {
      await currentSession().changePassword(values.old_password, values.new_password);
      form.set({ old_password: "", new_password: "" });
      toast("password.done");
    },
  });
  return (
    <>
      <PaneHeader title={t("settings.password")} back={href("settings")} />
      <PaneBody>
        <Section>
          <Form form={form} label={t("settings.password")}>
            {/* Tells password managers whose password this is. */}
            <input type="text" name="username" autoComplete="username" value={account} readOnly hidden />
            <PasswordField
              label={t("field.old_password")}
              autoComplete="current-password"
              {...form.bind("old_password")}
            />
            <PasswordField
              label={t("field.new_password")}
              autoComplete="new-password"
              hint={t("password.hint")}
              {...form.bind("new_password")}
            />
            <Problem {...form.problem} />
            <Button type="submit" kind="primary" className={css.submit} isPending={form.pending}>
              {t("password.submit")}
            </Button>
          </Form>
        </Section>
      </PaneBody>
    </>
  );
}

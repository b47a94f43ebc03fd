import { isCode } from "@parley-im/sdk";
import { useTranslation } from "../i18n";
import { Button } from "../ui/Button";
import { checkEmail } from "../ui/fields";
import { Form } from "../ui/Form";
import { Problem } from "../ui/Problem";
import { TextField } from "../ui/TextField";
import { useForm } from "../ui/useForm";
import type { MailedCode } from "./useCode";

export interface EmailStepProps {
  code: MailedCode;
  /** What it is about, as the form's name. */
  title: string;
  /** The address to begin with. */
  initial: string;
}

/** Asks for the e-mail address, and has a code mailed to it. */
export function EmailStep({ code, title, initial }: EmailStepProps) {
  const { t } = useTranslation();
  const form = useForm({
    initial: { email: initial },
    check: ({ email }) => ({ email: checkEmail(t, email) }),
    send: ({ email }) => code.send(email.trim()),
  });
  const tooOften = isCode(form.problem?.error, "resource_exhausted");

  return (
    <Form form={form} label={title}>
      <TextField
        label={t("field.email")}
        type="email"
        autoComplete="email"
        autoFocus
        hint={t("code.why")}
        {...form.bind("email")}
      />
      <Problem {...form.problem} />
      {/* Whoever is told to wait has most likely been mailed one. */}
      {tooOften && <Button onPress={() => code.have(form.values.email.trim())}>{t("code.have")}</Button>}
      <Button type="submit" kind="primary" wide isPending={form.pending}>
        {t("code.send")}
      </Button>
    </Form>
  );
}

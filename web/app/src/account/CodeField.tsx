import { useTranslation } from "../i18n";
import { digitsOf } from "../ui/fields";
import { TextField, type TextFieldProps } from "../ui/TextField";
import css from "./Account.module.css";

/** Six digits; of a pasted sentence the digits are taken. */
export function CodeField({ onChange, ...props }: Omit<TextFieldProps, "label">) {
  const { t } = useTranslation();
  return (
    <TextField
      {...props}
      className={css.code}
      label={t("field.code")}
      inputMode="numeric"
      autoComplete="one-time-code"
      placeholder="······"
      autoFocus
      onChange={(value) => onChange?.(digitsOf(value))}
    />
  );
}

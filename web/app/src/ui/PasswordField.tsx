import { Eye, EyeOff } from "lucide-react";
import { useState } from "react";
import { ToggleButton } from "react-aria-components";
import { useTranslation } from "../i18n";
import { TextField, type TextFieldProps } from "./TextField";
import css from "./TextField.module.css";

/** A password that can be made visible. */
export function PasswordField(props: Omit<TextFieldProps, "type" | "trailing">) {
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  return (
    <TextField
      {...props}
      type={shown ? "text" : "password"}
      verbatim
      trailing={
        <ToggleButton className={css.reveal} isSelected={shown} onChange={setShown} aria-label={t("ui.show_password")}>
          {shown ? <EyeOff size={18} aria-hidden /> : <Eye size={18} aria-hidden />}
        </ToggleButton>
      }
    />
  );
}

import {
  FieldError,
  Input,
  Label,
  Text,
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
} from "react-aria-components";
import type { ReactNode, Ref } from "react";
import css from "./TextField.module.css";

export interface TextFieldProps extends Omit<AriaTextFieldProps, "children" | "isInvalid" | "validationBehavior"> {
  label: string;
  /** The label is only spoken; where a placeholder and an icon say enough to the eye. */
  hideLabel?: boolean;
  placeholder?: string;
  /** What helps to fill it in; gives way to error. */
  hint?: ReactNode;
  /** What is wrong with the value, announced with the field. */
  error?: string | undefined;
  /** Before and after the text, inside the frame. */
  leading?: ReactNode;
  trailing?: ReactNode;
  /** For what is no prose: neither capitals nor spelling are mended. */
  verbatim?: boolean;
  inputRef?: Ref<HTMLInputElement>;
}

/** One line of text with its label, hint and error. */
export function TextField(props: TextFieldProps) {
  const { label, hideLabel, placeholder, hint, error, leading, trailing, verbatim, inputRef, className, ...rest } =
    props;
  return (
    <AriaTextField
      {...rest}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className={[css.field, className].filter(Boolean).join(" ")}
    >
      <Label className={hideLabel ? "hidden-text" : css.label}>{label}</Label>
      <div className={css.frame}>
        {leading && (
          <span className={css.leading} aria-hidden="true">
            {leading}
          </span>
        )}
        <Input
          className={css.input}
          {...(verbatim ? { autoCapitalize: "none", autoCorrect: "off", spellCheck: false } : {})}
          placeholder={placeholder}
          ref={inputRef}
        />
        {trailing}
      </div>
      {hint && !error && (
        <Text slot="description" className={css.hint}>
          {hint}
        </Text>
      )}
      <FieldError className={css.error}>{error}</FieldError>
    </AriaTextField>
  );
}

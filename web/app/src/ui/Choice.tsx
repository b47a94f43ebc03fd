import { Label, RadioButton, RadioField, RadioGroup } from "react-aria-components";
import type { ReactNode } from "react";
import css from "./Choice.module.css";

export interface ChoiceProps<V extends string> {
  label: string;
  /** The label is only spoken. */
  hideLabel?: boolean;
  value: V;
  options: readonly { value: V; text: string; icon?: ReactNode; lang?: string }[];
  onChange: (value: V) => void;
  isDisabled?: boolean;
}

/** One of a few, all in sight: radio buttons that look like one strip. */
export function Choice<V extends string>({ label, hideLabel, value, options, onChange, isDisabled }: ChoiceProps<V>) {
  return (
    <RadioGroup
      className={css.choice}
      value={value}
      onChange={(v) => onChange(v as V)}
      isDisabled={isDisabled}
      orientation="horizontal"
    >
      <Label className={hideLabel ? "hidden-text" : css.label}>{label}</Label>
      <div className={css.strip}>
        {options.map((o) => (
          <RadioField key={o.value} value={o.value} className={css.field}>
            <RadioButton className={css.option} lang={o.lang}>
              {o.icon}
              {o.text}
            </RadioButton>
          </RadioField>
        ))}
      </div>
    </RadioGroup>
  );
}

import { SwitchButton, SwitchField, Text } from "react-aria-components";
import type { ReactNode } from "react";
import css from "./Switch.module.css";

export interface SwitchProps {
  label: string;
  hint?: ReactNode;
  isSelected: boolean;
  isDisabled?: boolean;
  onChange: (on: boolean) => void;
}

/** On or off, at once. */
export function Switch({ label, hint, isSelected, isDisabled, onChange }: SwitchProps) {
  return (
    <SwitchField className={css.field} isSelected={isSelected} isDisabled={isDisabled} onChange={onChange}>
      <SwitchButton className={css.button}>
        <span className={css.label}>{label}</span>
        <span className={css.track} aria-hidden="true">
          <span className={css.knob} />
        </span>
      </SwitchButton>
      {hint && (
        <Text slot="description" className={css.hint}>
          {hint}
        </Text>
      )}
    </SwitchField>
  );
}

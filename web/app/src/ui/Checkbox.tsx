import { Check } from "lucide-react";
import { CheckboxButton, CheckboxField } from "react-aria-components";
import type { ReactNode } from "react";
import css from "./Checkbox.module.css";

export interface CheckboxProps {
  isSelected: boolean;
  isDisabled?: boolean;
  onChange: (on: boolean) => void;
  /** Its name; may hold more than text. */
  children: ReactNode;
}

/** A box to tick, in front of a row. */
export function Checkbox({ isSelected, isDisabled, onChange, children }: CheckboxProps) {
  return (
    <CheckboxField className={css.field} isSelected={isSelected} isDisabled={isDisabled} onChange={onChange}>
      <CheckboxButton className={css.button}>
        <span className={css.box} aria-hidden="true">
          <Check size={14} strokeWidth={3} />
        </span>
        {children}
      </CheckboxButton>
    </CheckboxField>
  );
}

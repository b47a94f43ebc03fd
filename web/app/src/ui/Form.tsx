import { useEffect, useRef, type ReactNode } from "react";
import type { FormState } from "./useForm";
import css from "./Form.module.css";

export interface FormProps {
  form: Pick<FormState<Record<string, string>>, "submit" | "refusals">;
  /** Its name. */
  label: string;
  /** For a button outside it. */
  id?: string;
  role?: "search";
  className?: string;
  children: ReactNode;
}

/** The element of a useForm. When it was refused the focus goes to the first field that is wrong. */
export function Form({ form, label, id, role, className = css.form, children }: FormProps) {
  const ref = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (form.refusals > 0) ref.current?.querySelector<HTMLElement>("input[aria-invalid=true]")?.focus();
  }, [form.refusals]);
  return (
    <form ref={ref} id={id} role={role} className={className} aria-label={label} onSubmit={form.submit} noValidate>
      {children}
    </form>
  );
}

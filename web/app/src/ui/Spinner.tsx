import css from "./Spinner.module.css";

export interface SpinnerProps {
  size?: "small" | "large";
  /** What is waited for. Without it the spinner is decoration beside a text that says so. */
  label?: string;
}

/** Work is under way, for an unknown time. */
export function Spinner({ size = "large", label }: SpinnerProps) {
  const className = `${css.spinner} ${css[size]}`;
  if (!label) return <span className={className} aria-hidden="true" />;
  return <span className={className} role="progressbar" aria-label={label} />;
}

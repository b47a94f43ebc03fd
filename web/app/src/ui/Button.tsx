import { Button as AriaButton, composeRenderProps, type ButtonProps as AriaButtonProps } from "react-aria-components";
import type { ReactNode } from "react";
import { Spinner } from "./Spinner";
import css from "./Button.module.css";

export interface ButtonProps extends Omit<AriaButtonProps, "children"> {
  /** primary: the one act of a screen; danger: it takes something away. */
  kind?: "primary" | "secondary" | "quiet" | "danger";
  /** Over the whole width of its parent. */
  wide?: boolean;
  /** An icon in front of the text. */
  icon?: ReactNode;
  children: ReactNode;
}

/** A button with a text. While isPending it stays focusable and shows that work is under way. */
export function Button({ kind = "secondary", wide, icon, children, className, ...props }: ButtonProps) {
  return (
    <AriaButton
      {...props}
      className={composeRenderProps(className, (extra) =>
        [css.button, css[kind], wide && css.wide, extra].filter(Boolean).join(" "),
      )}
    >
      {({ isPending }) => (
        <>
          {isPending ? <Spinner size="small" /> : icon}
          <span>{children}</span>
        </>
      )}
    </AriaButton>
  );
}

export interface IconButtonProps extends Omit<AriaButtonProps, "children" | "aria-label"> {
  /** What it does, for those who don't see the icon; also its tooltip. */
  label: string;
  children: ReactNode;
}

/** A round button that is only an icon. */
export function IconButton({ label, children, className, ...props }: IconButtonProps) {
  return (
    <AriaButton
      {...props}
      aria-label={label}
      className={composeRenderProps(className, (extra) => [css.icon, extra].filter(Boolean).join(" "))}
      // react-aria passes no title on, and a tooltip component is much for an icon.
      render={(dom) => <button {...dom} title={label} />}
    >
      {children}
    </AriaButton>
  );
}

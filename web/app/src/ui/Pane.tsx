import type { ReactNode } from "react";
import css from "./Pane.module.css";

/** What scrolls below a pane's header: one column of a width that reads well. */
export function PaneBody({ children }: { children: ReactNode }) {
  return (
    <div className={css.scroll}>
      <div className={css.column}>{children}</div>
    </div>
  );
}

/** A framed part of a pane. */
export function Section({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <section className={css.section} aria-label={title}>
      {title && <h2 className={css.heading}>{title}</h2>}
      {children}
    </section>
  );
}

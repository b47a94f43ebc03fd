import { CircleAlert, Info } from "lucide-react";
import type { ReactNode } from "react";
import css from "./Notice.module.css";

/** A sentence in a frame. An error is announced at once, an info politely. */
export function Notice({ kind = "info", children }: { kind?: "info" | "error"; children: ReactNode }) {
  const Icon = kind === "error" ? CircleAlert : Info;
  return (
    <div className={`${css.notice} ${css[kind]}`} role={kind === "error" ? "alert" : "status"}>
      <Icon size={18} aria-hidden className={css.icon} />
      <div>{children}</div>
    </div>
  );
}

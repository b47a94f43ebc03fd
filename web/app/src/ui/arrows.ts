import type { KeyboardEvent } from "react";

/** For the onKeyDown of a list: up and down go from row to row. A row's own way in is marked with data-row. */
export function moveByArrows(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const row = (event.target as HTMLElement).closest("[role=listitem], li");
  if (step === 0 || !row || !(event.target as HTMLElement).matches("[data-row]")) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-row]")];
  const next = rows[rows.findIndex((r) => row.contains(r)) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

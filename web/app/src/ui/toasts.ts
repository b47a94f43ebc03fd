import { create } from "zustand";

/** A short notice that goes away by itself. */
export interface Toast {
  id: number;
  text: string;
  kind: "info" | "error";
}

/** Milliseconds that a toast stays. */
const stay = 6000;
/** So many at once; one more pushes the oldest out. */
const most = 3;

interface Toasts {
  list: Toast[];
}

export const useToasts = create<Toasts>(() => ({ list: [] }));

let next = 1;

/** Shows a notice; screen readers read it when they are done with what they say. */
export function toast(text: string, kind: Toast["kind"] = "info"): void {
  const id = next++;
  useToasts.setState(({ list }) => ({ list: [...list, { id, text, kind }].slice(-most) }));
  setTimeout(() => dismissToast(id), stay);
}

/** Takes a notice away; an unknown one is none. */
export function dismissToast(id: number): void {
  useToasts.setState(({ list }) => ({ list: list.filter((t) => t.id !== id) }));
}

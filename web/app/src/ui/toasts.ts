import { create } from "zustand";
import type { TextKey, Values } from "../i18n";

/** A short notice that goes away by itself, or when one goes to another place. */
export interface Toast {
  id: number;
  /** The text and its values; it is translated when it is drawn. */
  text: TextKey;
  values: Values;
  /** The place that it was shown at: the location's hash. */
  place: string;
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

/**
 * Shows a notice; screen readers read it when they are done with what they say. An act that goes to another place shows
 * its notice after it went there.
 */
export function toast(text: TextKey, values: Values = {}): void {
  const id = next++;
  const shown: Toast = { id, text, values, place: location.hash };
  useToasts.setState(({ list }) => ({ list: [...list, shown].slice(-most) }));
  setTimeout(() => dismissToast(id), stay);
}

/** Takes a notice away; an unknown one is none. */
export function dismissToast(id: number): void {
  useToasts.setState(({ list }) => ({ list: list.filter((t) => t.id !== id) }));
}

window.addEventListener("hashchange", () => {
  useToasts.setState(({ list }) => ({ list: list.filter((t) => t.place === location.hash) }));
});

import { useSyncExternalStore } from "react";

const watchers = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** The day that it is here. Whatever tells dates uses it, and is drawn anew at midnight. */
export function useToday(): string {
  return useSyncExternalStore(watch, today);
}

function today(): string {
  return new Date().toDateString();
}

function watch(changed: () => void): () => void {
  watchers.add(changed);
  if (watchers.size === 1) {
    document.addEventListener("visibilitychange", look); // timers stand still while a machine sleeps
    plan();
  }
  return () => {
    watchers.delete(changed);
    if (watchers.size === 0) {
      document.removeEventListener("visibilitychange", look);
      clearTimeout(timer);
    }
  };
}

function look(): void {
  watchers.forEach((changed) => changed());
  plan();
}

function plan(): void {
  clearTimeout(timer);
  const now = new Date();
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  timer = setTimeout(look, midnight.getTime() - now.getTime());
}

/** Whether the person looks at this window: it can be seen, and has the focus. */
export function looks(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

const changes = [
  [document, "visibilitychange"],
  [window, "focus"],
  [window, "blur"],
] as const;

/** Calls back when the answer of looks may have changed; returns a function that ends this. */
export function onLooks(changed: () => void): () => void {
  changes.forEach(([target, event]) => target.addEventListener(event, changed));
  return () => changes.forEach(([target, event]) => target.removeEventListener(event, changed));
}

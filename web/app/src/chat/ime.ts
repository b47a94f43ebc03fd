interface Key {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  nativeEvent: { isComposing: boolean; keyCode: number };
}

/**
 * Whether a key sends: Enter alone, with fingers Enter and Ctrl (or Cmd), and not the Enter that ends an input method's composition. Chromium and Firefox mark that
 * one by isComposing; Safari ends the composition first, and leaves only the key code 229.
 */
export function sends(event: Key, byFingers: boolean): boolean {
  const composing = event.nativeEvent.isComposing || event.nativeEvent.keyCode === 229;
  const modified = event.ctrlKey || event.metaKey;
  return event.key === "Enter" && !event.shiftKey && !event.altKey && modified === byFingers && !composing;
}

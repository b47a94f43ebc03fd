interface Key {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  nativeEvent: { isComposing: boolean; keyCode: number };
}

/**
 * Whether a key sends: Enter alone, and not the Enter that ends an input method's composition. Chromium and Firefox mark that
 * one by isComposing; Safari ends the composition first, and leaves only the key code 229.
 */
export function sends(event: Key): boolean {
  const composing = event.nativeEvent.isComposing || event.nativeEvent.keyCode === 229;
  return event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey && !composing;
}

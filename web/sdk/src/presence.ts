/** What a browser tells of its page and its network. */
export interface Presence {
  /** There is a network again. */
  online(): void;
  /** There is none. */
  offline(): void;
  /** The page is looked at again. */
  visible(): void;
  /** The page may end without a further word. */
  hidden(): void;
}

/** watchPresence tells of it until the function that it returns is called. */
export function watchPresence(p: Presence): () => void {
  const stop = new AbortController();
  const listen = (target: Partial<EventTarget> | undefined, event: string, f: () => void) =>
    target?.addEventListener?.(event, f, { signal: stop.signal });
  const page = globalThis as Partial<EventTarget>;
  const document = (globalThis as { document?: Document }).document;
  listen(page, "online", () => p.online());
  listen(page, "offline", () => p.offline());
  listen(page, "pageshow", () => p.visible());
  listen(page, "pagehide", () => p.hidden());
  listen(document, "visibilitychange", () => (document?.visibilityState === "hidden" ? p.hidden() : p.visible()));
  return () => stop.abort();
}

/** isOffline tells whether the browser says that there is no network. */
export function isOffline(): boolean {
  return (globalThis.navigator as Navigator | undefined)?.onLine === false;
}

/*
 * jsdom lays nothing out and does not scroll. Virtual lists show what fits, so that tests of them
 * need a viewport: everything is 600 px high, rows 50.
 */
class Observer implements ResizeObserver {
  constructor(private readonly changed: ResizeObserverCallback) {}

  observe(target: Element) {
    const height = target.getAttribute("role") === "listitem" ? 50 : 600;
    const entry = { target, contentRect: { width: 400, height } } as unknown as ResizeObserverEntry;
    queueMicrotask(() => this.changed([entry], this));
  }

  unobserve() {}

  disconnect() {}
}

// react-aria looks for a nonce with it.
(globalThis as { CSS?: object }).CSS ??= { escape: (name: string) => name.replace(/[^\w-]/g, "\\$&") };

window.scrollTo = () => {};

globalThis.ResizeObserver ??= Observer;

Object.defineProperty(HTMLElement.prototype, "offsetParent", {
  configurable: true,
  get(this: HTMLElement) {
    return this.parentElement;
  },
});

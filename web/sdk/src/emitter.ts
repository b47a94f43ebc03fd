/** Emitter tells listeners of events, in the order in which they were added. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(data: never) => void>>();

  /** on adds a listener, and returns what removes it. */
  on<E extends keyof Events>(event: E, f: (data: Events[E]) => void): () => void {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all);
    const own = (data: Events[E]) => f(data); // the same function may be added twice
    all.add(own);
    return () => all.delete(own);
  }

  /** emit calls all listeners before it returns. One that throws keeps nobody else from being told. */
  emit<E extends keyof Events>(event: E, data: Events[E]): void {
    for (const f of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (f as (data: Events[E]) => void)(data);
      } catch (error) {
        // As an exception of its own, for the page's error handling.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

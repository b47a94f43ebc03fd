import { locks } from "./lock.js";

/**
 * Heirs tells what connections of other tabs leave behind. Each connection
 * holds a lock under its own name for as long as it lives; whoever gets the
 * lock of another one inherits from it.
 */
export class Heirs {
  readonly #end = new AbortController();
  readonly #awaited = new Set<string>();

  constructor(readonly name: string) {
    const { signal } = this.#end;
    this.#hold(
      name,
      () => new Promise((done) => (signal.aborted ? done() : signal.addEventListener("abort", () => done()))),
    );
  }

  /**
   * await has inherit called once nobody of that name lives any more; when that
   * is so already, before it resolves. It says false where that can't be known:
   * on pages without Web Locks.
   */
  async await(name: string, inherit: () => Promise<void>): Promise<boolean> {
    const shared = locks();
    if (!shared) return false;
    if (name === this.name || this.#awaited.has(name) || this.#end.signal.aborted) return true;
    this.#awaited.add(name);
    try {
      const gone = await shared.request(key(name), { ifAvailable: true }, async (lock) => {
        if (lock && !this.#end.signal.aborted) await inherit();
        return lock !== null;
      });
      if (gone) this.#awaited.delete(name);
      else this.#hold(name, inherit);
      return true;
    } catch {
      this.#awaited.delete(name);
      return false; // the browser forbids locks here
    }
  }

  /** end lets others inherit from this one, and gives up what it waits for. */
  end(): void {
    this.#end.abort();
  }

  #hold(name: string, f: () => Promise<void>) {
    // Rejected when it is given up, or when a store fails: then another heir has it.
    locks()
      ?.request(key(name), name === this.name ? {} : { signal: this.#end.signal }, f)
      .catch(() => undefined)
      .finally(() => this.#awaited.delete(name));
  }
}

function key(name: string): string {
  return `parley.outbox.${name}`;
}

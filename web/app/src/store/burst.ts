/** As long as this, in ms, what comes together waits to be taken together: about a frame. */
const gather = 16;

/**
 * Burst hands things on one by one while they come one by one. Those of a burst it gathers and hands on together, in order:
 * each alone would have the page drawn anew, and a flood would not let it do anything else.
 */
export class Burst<T> {
  #waiting: T[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = -Infinity;

  constructor(private readonly take: (things: readonly T[]) => void) {}

  add(thing: T): void {
    this.#waiting.push(thing);
    const wait = this.#last + gather - performance.now();
    if (wait <= 0) {
      this.flush();
    } else {
      this.#timer ??= setTimeout(() => this.flush(), wait);
    }
  }

  /** Hands on what waits, before something that comes after it. */
  flush(): void {
    this.#stop();
    if (this.#waiting.length > 0) {
      const things = this.#waiting;
      this.#waiting = [];
      this.take(things);
    }
    this.#last = performance.now();
  }

  /** Forgets what waits. */
  drop(): void {
    this.#stop();
    this.#waiting = [];
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

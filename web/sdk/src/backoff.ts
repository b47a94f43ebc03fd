/** longest is what is waited at most when a server asks for it, in milliseconds; a proxy may ask for days. */
const longest = 60_000;

/**
 * Backoff says how long to pause after each failure in a row: a random time up
 * to a bound that doubles, so that clients who failed together do not come
 * back together (full jitter:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
 */
export class Backoff {
  #failures = 0;

  constructor(
    private readonly most: number,
    private readonly random: () => number,
    /** Bounds the pause after the first failure, in milliseconds; it doubles. */
    private readonly first = 100,
  ) {}

  /** next is the pause after one more failure, in milliseconds, and at least the time asked for, up to a minute. */
  next(atLeast = 0): number {
    const bound = Math.min(this.first * 2 ** Math.min(this.#failures, 16), this.most);
    this.#failures++;
    return Math.min(atLeast, longest) + this.random() * bound;
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Pause is a wait that can be cut short. */
export class Pause {
  #wake: (() => void) | undefined;

  /** for resolves after that many milliseconds, or when woken. */
  for(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** wake ends the wait, if there is one. */
  wake(): void {
    this.#wake?.();
  }
}

import { Backoff } from "./backoff.js";
import { Lost } from "./socket.js";

/** settled is how long a connection lives that counts as a success, in milliseconds. */
const settled = 10_000;
/** briefly is how long a connection lives that was no use: a gateway that closes at once is not asked again at once. */
const briefly = 1000;
/** slowDown is the least pause after the gateway said "too fast". */
const slowDown = 1000;

/** The close codes that mean something else than: connect again, after a while. */
export const code = {
  goingAway: 1001,
  restart: 1012,
  unauthenticated: 4401,
  tooFast: 4429,
  revoked: 4503,
} as const;

/** Route says where to connect next, and when. */
export class Route {
  #at: number;
  #pause = 0;
  readonly #retry: Backoff;

  constructor(
    private readonly urls: readonly string[],
    mostPause: number,
    random: () => number,
  ) {
    this.#at = Math.floor(random() * urls.length);
    this.#retry = new Backoff(mostPause, random);
  }

  /** next is the gateway to try, and how long to wait before, in milliseconds. */
  next(): { url: string; pause: number } {
    const pause = this.#pause;
    this.#pause = 0;
    return { url: this.urls[this.#at++ % this.urls.length] ?? "", pause };
  }

  /** ended takes in that a connection has ended after that time, or was not made. It says whether to try again. */
  ended(why: Lost, lived: number): boolean {
    if (why.code >= 4500 && why.code < 5000) return false;
    const orderly = why.code === code.goingAway || why.code === code.restart;
    // A gateway that leaves spreads its clients by itself.
    if (lived > settled || (orderly && lived > briefly)) this.#retry.reset();
    this.failed(Math.max(why.refusal?.retryAfterMs ?? 0, why.code === code.tooFast ? slowDown : 0));
    return true;
  }

  /** failed has the next try wait longer. */
  failed(atLeast = 0): void {
    this.#pause = this.#retry.next(atLeast);
  }
}

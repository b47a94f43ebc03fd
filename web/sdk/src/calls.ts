import { Backoff } from "./backoff.js";
import { isCode, ParleyError } from "./error.js";
import { Lost, type Ops, type Socket } from "./socket.js";

/** Calls asks over whichever connection there is, again and again until the answer is final. All ops may be repeated. */
export class Calls {
  #socket: Socket | undefined;
  #ended = false;
  readonly #waiting = new Set<() => void>(); // for a connection

  constructor(
    /** How long a call may take, in milliseconds. */
    private readonly patience: number,
    private readonly mostPause: number,
    private readonly random: () => number,
  ) {}

  connected(socket: Socket): void {
    this.#socket = socket;
    this.#wake();
  }

  lost(): void {
    this.#socket = undefined;
  }

  end(): void {
    this.lost();
    this.#ended = true;
    this.#wake();
  }

  /** call rejects with a ParleyError: the gateway's, or "unavailable" when there is no answer in time. */
  async call<O extends keyof Ops>(op: O, data: Ops[O][0]): Promise<Ops[O][1]> {
    const deadline = performance.now() + this.patience;
    const retry = new Backoff(this.mostPause, this.random);
    for (;;) {
      const socket = await this.#live(deadline);
      try {
        return await socket.ask(op, data);
      } catch (error) {
        if (error instanceof Lost) {
          if (this.#socket === socket) this.lost();
        } else if (isCode(error, "unauthenticated")) {
          socket.close(); // the token ran out: the next connection has another
        } else if (error instanceof ParleyError && error.temporary) {
          const pause = retry.next(error.retryAfterMs);
          if (performance.now() + pause > deadline) throw error;
          await new Promise((resolve) => setTimeout(resolve, pause));
        } else {
          throw error;
        }
      }
    }
  }

  /** #live waits for a connection. */
  async #live(deadline: number): Promise<Socket> {
    for (;;) {
      if (this.#ended) throw new ParleyError("unavailable", "the connection is closed");
      if (this.#socket) return this.#socket;
      const left = deadline - performance.now();
      if (left <= 0) throw new ParleyError("unavailable", "there is no connection");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, left);
        const waiting = this.#waiting.add(wake);
        function wake() {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        }
      });
    }
  }

  #wake() {
    for (const wake of [...this.#waiting]) wake();
  }
}

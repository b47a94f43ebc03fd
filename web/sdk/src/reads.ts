import { Backoff } from "./backoff.js";
import { ParleyError } from "./error.js";
import type { Socket } from "./socket.js";

const mostPause = 10_000;

/** Reads sends how far the user has read: of a room's positions only the furthest, one at a time. */
export class Reads {
  readonly #wanted = new Map<string, number>(); // not acknowledged yet
  readonly #busy = new Set<string>();
  #socket: Socket | undefined;

  constructor(private readonly random: () => number) {}

  connected(socket: Socket): void {
    this.#socket = socket;
    for (const room of this.#wanted.keys()) void this.#send(room);
  }

  lost(): void {
    this.#socket = undefined;
  }

  set(room: string, seq: number): void {
    this.#wanted.set(room, Math.max(seq, this.#wanted.get(room) ?? 0));
    void this.#send(room);
  }

  async #send(room: string) {
    if (this.#busy.has(room)) return;
    this.#busy.add(room);
    const retry = new Backoff(mostPause, this.random);
    for (let seq, socket; (socket = this.#socket) && (seq = this.#wanted.get(room)) !== undefined;) {
      try {
        await socket.ask("read.set", { room_id: room, seq });
      } catch (error) {
        if (!(error instanceof ParleyError)) break; // the next connection has it sent again
        if (error.code === "unauthenticated") {
          socket.close(); // the token ran out: the next connection has another
          break;
        }
        if (error.temporary) {
          await new Promise((resolve) => setTimeout(resolve, retry.next(error.retryAfterMs)));
          continue;
        }
        // It can't be set, and nobody needs to know.
      }
      if (this.#wanted.get(room) === seq) this.#wanted.delete(room);
    }
    this.#busy.delete(room);
  }
}

import type { Patience } from "./socket.js";

/** The times of a connection, in milliseconds. */
export interface Timing extends Patience {
  /** The longest pause between two tries. */
  backoff: number;
  /** The least pause while the browser says that there is no network; it may be wrong. */
  offline: number;
  /** How long a gap is left open, in which the missing message may still come by itself. */
  hold: number;
  /** How often cursors that moved are saved. */
  save: number;
  /** How long history and removeMessage may take, over all connections. */
  call: number;
}

export const defaultTiming: Timing = {
  open: 10_000,
  reply: 15_000,
  check: 5_000,
  drain: 1_000,
  backoff: 10_000,
  offline: 5_000,
  hold: 200,
  save: 1_000,
  call: 30_000,
};

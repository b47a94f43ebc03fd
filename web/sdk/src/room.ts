import type { Backoff } from "./backoff.js";
import type { Message, MessageRemoved } from "./types.js";

/** Room puts one room's messages in order. It keeps one number, the cursor, and what came early. */
export class Room {
  /** The seq of the last message that was handed on. */
  cursor: number;
  /** The highest seq heard of. */
  head = 0;
  /** Left, or disbanded: nothing is fetched. */
  gone = false;
  readonly early = new Map<number, Message>();
  /** Those not handed on yet that are known to be removed. */
  readonly removed = new Map<number, MessageRemoved>();
  fetching = false;
  /** Has what is missing fetched when it ends. */
  timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly id: string,
    cursor: number,
    /** Of fetching. */
    readonly retry: Backoff,
  ) {
    this.cursor = cursor;
  }

  /** Whether there is more than what was handed on. */
  get behind(): boolean {
    return !this.gone && this.head > this.cursor;
  }

  heard(seq: number): void {
    this.head = Math.max(this.head, seq);
  }

  /** known tells whether a message has been handed on, or waits. */
  known(seq: number): boolean {
    return seq <= this.cursor || this.early.has(seq);
  }

  /** jump moves the cursor forward, past what is not to be handed on. It returns how many that waited are dropped. */
  jump(cursor: number): number {
    const before = this.early.size;
    this.cursor = Math.max(this.cursor, cursor);
    for (const waiting of [this.early, this.removed]) {
      for (const seq of waiting.keys()) if (seq <= this.cursor) waiting.delete(seq);
    }
    return before - this.early.size;
  }

  /** seen is a message as it is by now: a tombstone, when it was removed after it was sent or read on its way here. */
  seen(m: Message): Message {
    const removal = this.removed.get(m.seq);
    this.removed.delete(m.seq);
    if (!removal || m.type === "removed") return m;
    const { removed_at, removed_by } = removal;
    return { ...m, type: "removed", content: {}, removed_at, removed_by };
  }

  /** rest has nothing fetched. */
  rest(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

import type { Message } from "./types.js";

/** Room puts one room's messages in order. It keeps one number, the cursor, and what came early. */
export class Room {
  /** The seq of the last message that was handed on. */
  cursor: number;
  /** The highest seq heard of. */
  head = 0;
  /** Left, or disbanded: nothing is fetched. */
  gone = false;
  readonly early = new Map<number, Message>();
  /** Of fetching, in a row. */
  failures = 0;
  fetching = false;
  /** Has what is missing fetched when it ends. */
  timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly id: string,
    cursor: number,
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
    for (const seq of this.early.keys()) if (seq <= this.cursor) this.early.delete(seq);
    return before - this.early.size;
  }

  /** rest has nothing fetched. */
  rest(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

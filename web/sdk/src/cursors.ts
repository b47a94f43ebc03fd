import type { CursorStore } from "./cursorstore.js";

/** Cursors saves, now and then, how far rooms' messages have been handed on. */
export class Cursors {
  #moved: Record<string, number> = {}; // since they were saved
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly userId: string,
    private readonly store: CursorStore,
    /** How often, in milliseconds. */
    private readonly every: number,
  ) {}

  /** load returns those of all rooms; none when the store fails. */
  load(): Promise<Record<string, number>> {
    return this.store.load(this.userId).catch(() => ({}));
  }

  moved(roomId: string, cursor: number): void {
    this.#moved[roomId] = Math.max(cursor, this.#moved[roomId] ?? 0);
    this.#timer ??= setTimeout(() => void this.save(), this.every);
  }

  /** save saves those that have moved. What can't be saved is tried again when the next one moves. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const moved = this.#moved;
    this.#moved = {};
    if (Object.keys(moved).length === 0) return;
    try {
      await this.store.save(this.userId, moved);
    } catch {
      this.#moved = { ...moved, ...this.#moved }; // the later ones are further
    }
  }
}

import type { Message, MessagePage } from "@parley-im/sdk";
import { tombstone, type Removal } from "./roombook";

/*
 * The part of a room's history that is in memory: messages whose seqs follow
 * one another without a hole. It is bounded: when one end grows beyond the
 * bound, the other end is dropped, and read again when it is scrolled to.
 */
export interface Window {
  readonly messages: readonly Message[];
  /** There is more before the first. */
  readonly older: boolean;
  /** It reaches the room's head: a new message belongs at its end. */
  readonly tail: boolean;
  /** Counts how often it began anew, elsewhere in the history. */
  readonly epoch: number;
}

/** The most that a room holds which is open, and one which is not. */
export const openBound = 2_000;
export const restBound = 500;

export function firstSeq(w: Window): number {
  return w.messages[0]?.seq ?? 0;
}

export function lastSeq(w: Window): number {
  return w.messages[w.messages.length - 1]?.seq ?? 0;
}

/** A window that begins with the newest page. */
export function fromPage(page: MessagePage, epoch = 0): Window {
  return { messages: ascending(page.items), older: page.has_more, tail: true, epoch };
}

/** Takes the newest page again: what was missed is added, what was removed meanwhile is replaced. Too far away, it begins anew. */
export function withNewest(w: Window, page: MessagePage): Window {
  const items = ascending(page.items);
  const from = items[0]?.seq ?? 0;
  if (items.length === 0 || from > lastSeq(w) + 1 || from < firstSeq(w)) {
    return fromPage(page, w.epoch + 1);
  }
  const after = items.filter((m) => m.seq > lastSeq(w));
  return { ...w, messages: [...withAgain(w, page).messages, ...after], tail: true };
}

/** Takes a page of messages that are held: those that were removed meanwhile are replaced. A removal is never undone. */
export function withAgain(w: Window, page: MessagePage): Window {
  const removed = new Map(page.items.filter((m) => m.type === "removed").map((m) => [m.seq, m]));
  const changed = w.messages.some((m) => m.type !== "removed" && removed.has(m.seq));
  return changed
    ? { ...w, messages: w.messages.map((m) => (m.type === "removed" ? m : (removed.get(m.seq) ?? m))) }
    : w;
}

/** Takes a page of what was before the first. */
export function withOlder(w: Window, page: MessagePage): Window {
  const before = ascending(page.items).filter((m) => m.seq < firstSeq(w));
  return { ...w, messages: [...before, ...w.messages], older: page.has_more };
}

/** Takes a page of what came after the last. */
export function withNewer(w: Window, page: MessagePage): Window {
  const after = ascending(page.items).filter((m) => m.seq > lastSeq(w));
  return { ...w, messages: [...w.messages, ...after], tail: !page.has_more };
}

/** Takes a message as it comes. One that is known changes nothing; one that does not follow is left for withNewer. */
export function withPushed(w: Window, message: Message): Window {
  const last = lastSeq(w);
  if (!w.tail || message.seq <= last) {
    return w;
  }
  if (w.messages.length > 0 && message.seq !== last + 1) {
    return { ...w, tail: false };
  }
  return { ...w, messages: [...w.messages, message] };
}

export function withTombstone(w: Window, removed: Removal): Window {
  const at = removed.seq - firstSeq(w);
  const message = w.messages[at];
  if (!message || message.seq !== removed.seq || message.type === "removed") {
    return w;
  }
  const messages = w.messages.slice();
  messages[at] = tombstone(message, removed);
  return { ...w, messages };
}

/** Keeps the newest. */
export function dropOldest(w: Window, bound: number): Window {
  return w.messages.length > bound ? { ...w, messages: w.messages.slice(-bound), older: true } : w;
}

/** Keeps the oldest. */
export function dropNewest(w: Window, bound: number): Window {
  return w.messages.length > bound ? { ...w, messages: w.messages.slice(0, bound), tail: false } : w;
}

/** Over the bound, a quarter goes at the end that is farther from what is looked at. */
export function trimmed(w: Window, lookedAt: number, bound = openBound): Window {
  if (w.messages.length <= bound) {
    return w;
  }
  const kept = Math.ceil(bound * 0.75);
  const middle = firstSeq(w) + w.messages.length / 2;
  return lookedAt < middle ? dropNewest(w, kept) : dropOldest(w, kept);
}

function ascending(items: readonly Message[]): Message[] {
  return items.slice().sort((a, b) => a.seq - b.seq);
}

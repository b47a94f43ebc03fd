import type { Message, Outgoing } from "@parley-im/sdk";
import type { Window } from "./window";

/** One line of the chat view: a message, or one that is on its way. */
export interface Row {
  /** The same for an own message before and after it is stored: it is not drawn anew. */
  readonly key: string;
  readonly message: Message | null;
  readonly outgoing: Outgoing | null;
  readonly mine: boolean;
  /** When it was sent, RFC 3339. */
  readonly at: string;
  /** The first of its day: the date stands above. */
  readonly day: boolean;
  /** The first that was unread when the room was opened: a line stands above. */
  readonly fresh: boolean;
  /** The first and the last of a group: one sender, at most five minutes between two. */
  readonly first: boolean;
  readonly last: boolean;
}

const together = 5 * 60_000;

/**
 * What is shown of a room: its messages, and behind them what was written here and is not among them yet. While there are
 * older messages the first row has no date and begins no group: that would be gone again when those are there.
 */
export function rowsOf(
  { messages, older }: Pick<Window, "messages" | "older">,
  outgoing: readonly Outgoing[],
  myId: string,
  freshSeq: number | null,
): Row[] {
  const entries: Entry[] = messages.map((message) => entryOf(message, myId));
  if (outgoing.length > 0) {
    const here = new Set(messages.filter((m) => m.sender_id === myId).map((m) => m.client_id));
    const rest = outgoing.filter((o) => !here.has(o.client_id));
    entries.push(...rest.map(outgoingEntry));
  }
  // Until it is read, what stands above the first is taken to be like it.
  const above = older ? entries[0] : undefined;
  return entries.map((entry, i) => rowOf(entry, entries[i - 1] ?? above, entries[i + 1], freshSeq));
}

interface Entry {
  key: string;
  message: Message | null;
  outgoing: Outgoing | null;
  mine: boolean;
  sender: string;
  at: string;
  /** The same as at, in ms, and the day on which that is here. */
  time: number;
  date: string;
}

// Entries of messages are kept: a room's rows are made anew with every message, and calendars are slow.
const entriesOf = new WeakMap<Message, Entry>();

function entryOf(message: Message, myId: string): Entry {
  let entry = entriesOf.get(message);
  const mine = message.sender_id === myId;
  if (!entry || entry.mine !== mine) {
    const key = mine ? `own-${message.client_id}` : `seq-${message.seq}`;
    entry = { key, message, outgoing: null, mine, sender: message.sender_id, ...timeOf(message.sent_at) };
    entriesOf.set(message, entry);
  }
  return entry;
}

function outgoingEntry(outgoing: Outgoing): Entry {
  const { client_id, created_at } = outgoing;
  return { key: `own-${client_id}`, message: null, outgoing, mine: true, sender: "", ...timeOf(created_at) };
}

function timeOf(at: string): Pick<Entry, "at" | "time" | "date"> {
  const time = new Date(at);
  return { at, time: time.getTime(), date: time.toDateString() };
}

function rowOf(entry: Entry, before: Entry | undefined, after: Entry | undefined, freshSeq: number | null): Row {
  const { key, message, outgoing, mine, at } = entry;
  const day = before?.date !== entry.date;
  const fresh = freshSeq !== null && message?.seq === freshSeq;
  const parted = !after || after.date !== entry.date || (freshSeq !== null && after.message?.seq === freshSeq);
  return {
    key,
    message,
    outgoing,
    mine,
    at,
    day,
    fresh,
    first: !before || day || fresh || !grouped(before, entry),
    last: parted || !grouped(entry, after),
  };
}

function grouped(a: Entry, b: Entry): boolean {
  const one = a.mine ? b.mine : !b.mine && a.sender === b.sender;
  return one && Math.abs(b.time - a.time) <= together;
}

/** Whether a row needs to be drawn anew. */
export function sameRow(a: Row, b: Row): boolean {
  return (
    a.key === b.key &&
    a.message === b.message &&
    a.outgoing === b.outgoing &&
    a.day === b.day &&
    a.fresh === b.fresh &&
    a.first === b.first &&
    a.last === b.last
  );
}

/** The key of the own message under which "read" stands: the last that the peer has read. Who writes has read what is above. */
export function readRow(rows: readonly Row[], heard: number): string | null {
  let read = heard;
  for (let i = rows.length - 1; i >= 0; i--) {
    const { message, mine, key } = rows[i]!;
    if (message && !mine) {
      read = Math.max(read, message.seq);
    } else if (message && message.seq <= read) {
      return key;
    }
  }
  return null;
}

import type { Range, Message, MessagePage, Outgoing } from "@parley-im/sdk";
import { create } from "zustand";
import { currentConnection, useConnection } from "./connection";
import { tombstone, type Removal } from "./roombook";
import { currentSession } from "./session";
import * as windows from "./window";

interface MessagesState {
  /** What is in memory of the rooms that were open, by room id. */
  windows: Record<string, windows.Window>;
  /** What was written here and is not in a window yet, by room id, oldest first. */
  outgoing: Record<string, readonly Outgoing[]>;
  /** What is being read of a room, and what could not be. */
  loading: Record<string, Direction | undefined>;
  failed: Record<string, Direction | undefined>;
  /** The room on the screen. */
  open: string | null;
}

export type Direction = "newest" | "older" | "newer";

const nothing: MessagesState = { windows: {}, outgoing: {}, loading: {}, failed: {}, open: null };

export const useMessages = create<MessagesState>(() => nothing);

const pageSize = 60;
/** The most that the server answers at once. */
const largestPage = 200;
const keptRooms = 20;

/** Puts a room on the screen, or none. The one before keeps a smaller window. */
export function openRoom(id: string | null): void {
  useMessages.setState((s) => {
    const kept = Object.entries(s.windows)
      .filter(([room]) => room !== id)
      .map(([room, w]) => [room, rested(w)] as const)
      .filter(([, w]) => w.tail)
      .slice(-keptRooms);
    const present = id === null ? undefined : s.windows[id];
    return { open: id, windows: Object.fromEntries(present && id ? [...kept, [id, present]] : kept) };
  });
  if (id !== null && !useMessages.getState().windows[id]) {
    void load(id, "newest");
  }
}

// A room that rests keeps its newest messages; scrolled back without its end, it is read anew.
function rested(w: windows.Window): windows.Window {
  return windows.dropOldest(w, windows.restBound);
}

/** Reads the newest, older or newer messages of a room; one read of a room at a time. */
export async function load(roomId: string, direction: Direction): Promise<void> {
  const { loading, windows: held } = useMessages.getState();
  const w = held[roomId];
  if (loading[roomId] || (direction !== "newest" && !w)) {
    return;
  }
  if ((direction === "older" && !w?.older) || (direction === "newer" && w?.tail)) {
    return;
  }
  const turn = {};
  turns.set(roomId, turn);
  const present = () => turns.get(roomId) === turn;
  mark(roomId, direction, undefined);
  try {
    const page = await read(roomId, rangeOf(direction, w));
    if (present()) {
      useMessages.setState((s) => ({
        windows: { ...s.windows, [roomId]: joined(s.windows[roomId], page, direction) },
      }));
      mark(roomId, undefined, undefined);
    }
  } catch {
    if (present()) {
      mark(roomId, undefined, direction);
    }
  }
}

/** The last load of each room. A room that was forgotten meanwhile does not take its answer. */
const turns = new Map<string, object>();

function mark(roomId: string, loading: Direction | undefined, failed: Direction | undefined): void {
  useMessages.setState((s) => ({
    loading: { ...s.loading, [roomId]: loading },
    failed: { ...s.failed, [roomId]: failed },
  }));
}

function rangeOf(direction: Direction, w: windows.Window | undefined): Range {
  return {
    limit: pageSize,
    ...(direction === "older" && w ? { before_seq: windows.firstSeq(w) } : {}),
    ...(direction === "newer" && w ? { after_seq: windows.lastSeq(w) } : {}),
  };
}

/** The removals that come while a page is read: the page may be older than they are. */
const removedMeanwhile = new Set<Removal[]>();

async function read(roomId: string, range: Range): Promise<MessagePage> {
  const { connection, state } = useConnection.getState();
  const source = connection && state === "connected" ? connection : currentSession();
  const removed: Removal[] = [];
  removedMeanwhile.add(removed);
  try {
    const page = await source.history(roomId, range);
    const current = (m: Message) => {
      const removal = removed.find((r) => r.room_id === roomId && r.seq === m.seq);
      return removal ? tombstone(m, removal) : m;
    };
    return { ...page, items: page.items.map(current) };
  } finally {
    removedMeanwhile.delete(removed);
  }
}

function joined(w: windows.Window | undefined, page: MessagePage, direction: Direction): windows.Window {
  if (!w || direction === "newest") {
    return windows.fromPage(page, (w?.epoch ?? -1) + 1);
  }
  return direction === "older" ? windows.withOlder(w, page) : windows.withNewer(w, page);
}

/** Changes a room's window, if there is one. */
export function changeWindow(roomId: string, change: (w: windows.Window) => windows.Window): void {
  const w = useMessages.getState().windows[roomId];
  const next = w && change(w);
  if (next && next !== w) {
    useMessages.setState((s) => ({ windows: { ...s.windows, [roomId]: next } }));
  }
}

/** Takes messages as they were pushed, each room's in order. */
export function takeMessages(messages: readonly Message[]): void {
  const { open } = useMessages.getState();
  for (const roomId of new Set(messages.map((m) => m.room_id))) {
    const pushed = messages.filter((m) => m.room_id === roomId);
    changeWindow(roomId, (w) => {
      const next = pushed.reduce(windows.withPushed, w);
      // What rests is cut now; the open one is cut by the view, which knows what is looked at.
      return roomId === open ? next : rested(next);
    });
    pushed.forEach((m) => forgetOutgoing(roomId, m.client_id));
  }
}

export function takeRemoval(removed: Removal): void {
  removedMeanwhile.forEach((list) => list.push(removed));
  changeWindow(removed.room_id, (w) => windows.withTombstone(w, removed));
}

/**
 * Takes the state of something that was written here. Acknowledged, it waits for its message, unless that came first
 * or is not looked for: the push and the acknowledgement may cross.
 */
export function takeOutgoing(outgoing: Outgoing): void {
  const { room_id, client_id, status, seq = 0 } = outgoing;
  const { windows: held } = useMessages.getState();
  const w = held[room_id];
  if (status === "sent" && !(w?.tail && seq > windows.lastSeq(w))) {
    forgetOutgoing(room_id, client_id);
    return;
  }
  useMessages.setState((s) => {
    const list = s.outgoing[room_id] ?? [];
    const at = list.findIndex((o) => o.client_id === client_id);
    // Tried again, it goes behind what was written since.
    const again = list[at]?.status === "failed" && status === "sending";
    const next =
      at < 0 || again
        ? [...list.filter((o) => o.client_id !== client_id), { ...outgoing }]
        : list.with(at, { ...outgoing });
    return { outgoing: { ...s.outgoing, [room_id]: next } };
  });
}

/** Forgets something that was written here: it has come as a message, or was discarded. */
export function forgetOutgoing(roomId: string, clientId: string): void {
  const list = useMessages.getState().outgoing[roomId];
  if (list?.some((o) => o.client_id === clientId)) {
    useMessages.setState((s) => ({
      outgoing: { ...s.outgoing, [roomId]: list.filter((o) => o.client_id !== clientId) },
    }));
  }
}

/** Forgets what is held of a room that is no longer the user's. */
export function forgetRoom(roomId: string): void {
  turns.delete(roomId);
  mark(roomId, undefined, undefined);
  useMessages.setState((s) => {
    const { [roomId]: _window, ...held } = s.windows;
    const { [roomId]: _list, ...outgoing } = s.outgoing;
    return { windows: held, outgoing };
  });
}

/** After an absence removals may have been missed: what is not open is read when it is opened, the open room again. */
export async function refreshWindows(): Promise<void> {
  const { open, windows: held } = useMessages.getState();
  const w = open === null ? undefined : held[open];
  useMessages.setState({ windows: w && open !== null ? { [open]: w } : {} });
  if (open === null) {
    return;
  }
  if (!w) {
    await load(open, "newest");
    return;
  }
  try {
    await readAgain(open, w);
  } catch {
    // the next connect tries again
  }
}

// Reads the messages that are held again, newest first: at most openBound of them, or a page more.
async function readAgain(roomId: string, w: windows.Window): Promise<void> {
  let before = windows.lastSeq(w) + 1;
  if (w.tail) {
    const page = await read(roomId, { limit: pageSize });
    changeWindow(roomId, (present) => windows.withNewest(present, page));
    before = Math.min(before, page.items.at(-1)?.seq ?? before);
  }
  while (before > windows.firstSeq(w) && useMessages.getState().windows[roomId]?.epoch === w.epoch) {
    const page = await read(roomId, { limit: largestPage, before_seq: before });
    changeWindow(roomId, (present) => windows.withAgain(present, page));
    before = page.items.at(-1)?.seq ?? 0;
  }
}

/** Writes a message: it stands in the room at once. */
export function send(roomId: string, text: string): void {
  takeOutgoing(currentConnection().send(roomId, text));
  void showNewest(roomId);
}

/** Shows the newest messages of a room whose window ends before them. */
export async function showNewest(roomId: string): Promise<void> {
  if (useMessages.getState().windows[roomId]?.tail === false) {
    await load(roomId, "newest");
  }
}

export function forgetMessages(): void {
  useMessages.setState(nothing);
}

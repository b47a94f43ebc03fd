import type { Room } from "@parley-im/sdk";
import { create } from "zustand";
import { rememberPeople } from "./people";
import { emptyBook, withoutRoom, withRooms, type RoomBook } from "./roombook";
import { currentSession, useSession } from "./session";

interface RoomsState {
  book: RoomBook;
  /** The next page's cursor; empty when the last page was read, null before the first. */
  cursor: string | null;
  loading: boolean;
  failed: boolean;
  /** How far others were heard to have read: room id → user id → seq. */
  reads: Record<string, Record<string, number>>;
}

const nothing: RoomsState = { book: emptyBook, cursor: null, loading: false, failed: false, reads: {} };

export const useRooms = create<RoomsState>(() => nothing);

const pageSize = 50;

export function changeBook(change: (book: RoomBook) => RoomBook): void {
  const { book } = useRooms.getState();
  const next = change(book);
  if (next !== book) {
    useRooms.setState({ book: next });
  }
}

/** Takes rooms as the server told them: a page, a new group, a room that was asked for. */
export function takeRooms(rooms: readonly Room[]): void {
  rememberPeople(rooms.flatMap((room) => (room.peer ? [room.peer] : [])));
  changeBook((book) => withRooms(book, rooms));
}

// How many rooms went so far, and the number that each had: an answer to an earlier question must not bring it back.
let departures = 0;
const departed = new Map<string, number>();

/** Drops a room that is no longer the user's. */
export function dropRoom(id: string): void {
  departures += 1;
  departed.set(id, departures);
  changeBook((book) => withoutRoom(book, id));
}

function takeAnswer(rooms: readonly Room[], asked: number): void {
  takeRooms(rooms.filter(({ id }) => (departed.get(id) ?? 0) <= asked));
}

/** Reads the next page of the list, if there is one. One at a time. */
export async function loadMoreRooms(): Promise<void> {
  const { loading, cursor } = useRooms.getState();
  if (loading || cursor === "") {
    return;
  }
  await readPage(cursor);
}

/** Reads the list's first page again: what was missed stands on top of it. */
export async function refreshRooms(): Promise<void> {
  const { cursor } = useRooms.getState();
  await readPage(null);
  if (cursor !== null) {
    useRooms.setState({ cursor }); // further pages were read before; they stay
  }
}

async function readPage(cursor: string | null): Promise<void> {
  const session = currentSession();
  const asked = departures;
  useRooms.setState({ loading: true, failed: false });
  try {
    const page = await session.rooms({ limit: pageSize, ...(cursor ? { cursor } : {}) });
    if (useSession.getState().session === session) {
      takeAnswer(page.items, asked);
      useRooms.setState({ loading: false, cursor: page.next_cursor });
    }
  } catch {
    useRooms.setState({ loading: false, failed: true });
  }
}

const readings = new Map<string, Promise<void>>();

/** Reads one room, because it is new here or may have changed. A room that is not the user's (any more) is forgotten. */
export function readRoom(id: string): Promise<void> {
  let reading = readings.get(id);
  if (!reading) {
    const asked = departures;
    reading = currentSession()
      .room(id)
      .then(
        (room) => takeAnswer([room], asked),
        (error: { code?: string }) => {
          if (error.code === "not_found") {
            dropRoom(id);
          } else {
            throw error;
          }
        },
      )
      .finally(() => readings.delete(id));
    readings.set(id, reading);
  }
  return reading;
}

/** Notes how far another member has read. */
export function noteRead(roomId: string, userId: string, seq: number): void {
  useRooms.setState((s) => {
    const room = s.reads[roomId] ?? {};
    return seq > (room[userId] ?? 0) ? { reads: { ...s.reads, [roomId]: { ...room, [userId]: seq } } } : s;
  });
}

export function forgetRooms(): void {
  departed.clear();
  useRooms.setState(nothing);
}

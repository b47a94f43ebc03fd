import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { VirtualizerHandle } from "virtua";
import type { Room } from "@parley-im/sdk";
import { onLooks } from "../shell/looks";
import { changeWindow, load, showNewest, useMessages } from "../store/messages";
import type { Row } from "../store/timeline";
import { trimmed, type Window } from "../store/window";
import { markRead } from "./read";

/** As near to the end as this, in pixels, counts as being there. */
const nearEnd = 60;
/** As near to an end as this, in rows, reads more. */
const ahead = 25;

interface Scrolled {
  room: Room;
  held: Window;
  rows: readonly Row[];
  startAtFresh: boolean;
}

/**
 * What scrolling brings about: the end is followed while it is in view, more is read near either end, far ends of a
 * long window are dropped, and what was seen is marked as read.
 */
export function useScroll(listRef: RefObject<VirtualizerHandle | null>, scrolled: Scrolled) {
  const { room, rows, startAtFresh } = scrolled;
  const following = useRef(true);
  const started = useRef(false);
  const newest = useRef<string | undefined>(undefined);
  const oldest = useRef<string | undefined>(undefined);
  // Until the first scroll has come, or none can, the place is not yet the one that was asked for.
  const settled = useRef(false);
  const offset = useRef(0);
  const [atEnd, setAtEnd] = useState(true);
  const [entry, setEntry] = useState<string | null>(null);
  const latest = useRef(scrolled);

  const toEnd = useCallback(() => {
    following.current = true;
    listRef.current?.scrollToIndex(latest.current.rows.length - 1, { align: "end" });
  }, [listRef]);

  const look = useCallback(() => {
    const view = listRef.current;
    settled.current ||= view !== null && view.viewportSize > 0 && view.scrollSize <= view.viewportSize;
    if (view && settled.current && latest.current.rows.length > 0) {
      lookAt(view, latest.current);
    }
  }, [listRef]);

  // The keyboard enters at the last row in view. While one scrolls that need not be told.
  const onScrollEnd = useCallback(() => {
    const view = listRef.current;
    if (view) {
      setEntry(latest.current.rows[lastInView(view, latest.current.rows)]?.key ?? null);
    }
  }, [listRef]);

  const onScroll = useCallback(() => {
    const view = listRef.current;
    if (view) {
      settled.current = true;
      const near = view.scrollOffset + view.viewportSize >= view.scrollSize - nearEnd;
      // Rows that come take the end away: only who moves up has left it.
      following.current = near || (following.current && view.scrollOffset >= offset.current);
      offset.current = view.scrollOffset;
      setAtEnd(following.current);
      look();
    }
  }, [listRef, look]);

  const onResize = useCallback(() => {
    if (following.current) {
      toEnd();
    }
    look();
    onScrollEnd();
  }, [look, onScrollEnd, toEnd]);

  useLayoutEffect(() => {
    latest.current = scrolled;
  });

  useLayoutEffect(() => {
    const last = rows.at(-1);
    if (rows[0]?.key !== oldest.current) {
      oldest.current = rows[0]?.key;
      offset.current = -1; // rows that come or go above move everything, not the reader
    }
    const fresh = startAtFresh && !started.current ? rows.findIndex((row) => row.fresh) : -1;
    const wrote = last?.outgoing?.status === "sending" && last.key !== newest.current;
    newest.current = last?.key;
    if (fresh > 0) {
      following.current = false;
      listRef.current?.scrollToIndex(fresh, { align: "start", offset: -16 });
    } else if (following.current || wrote) {
      toEnd();
    }
    started.current ||= rows.length > 0;
  }, [listRef, rows, startAtFresh, toEnd]);

  // Messages that came while nobody looked are seen now.
  useEffect(() => onLooks(look), [look]);

  const toNewest = useCallback(() => {
    following.current = true;
    if (latest.current.held.tail) {
      toEnd();
    } else {
      void showNewest(room.id);
    }
  }, [room.id, toEnd]);

  return { atEnd, entry, onScroll, onScrollEnd, onResize, toNewest };
}

// Reads and drops what the place asks for, and marks what is seen as read.
function lookAt(view: VirtualizerHandle, { room, held, rows }: Scrolled): void {
  const top = view.findItemIndex(view.scrollOffset);
  const bottom = lastInView(view, rows);
  const { loading, failed } = useMessages.getState();
  if (!loading[room.id] && !failed[room.id]) {
    if (!held.tail && bottom > rows.length - ahead) {
      void load(room.id, "newer");
    } else if (held.older && top < ahead) {
      void load(room.id, "older");
    } else {
      const seq = rows[top]?.message?.seq ?? 0;
      changeWindow(room.id, (w) => trimmed(w, seq));
    }
  }
  for (let i = bottom; i >= top; i--) {
    const seen = rows[i]?.message;
    if (seen) {
      markRead(room.id, seen.seq);
      break;
    }
  }
}

function lastInView(view: VirtualizerHandle, rows: readonly Row[]): number {
  return Math.min(view.findItemIndex(view.scrollOffset + view.viewportSize - 8), rows.length - 1);
}

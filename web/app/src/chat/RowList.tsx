import { ArrowDown } from "lucide-react";
import { Fragment, useRef, useState, type ReactElement } from "react";
import { useTranslation } from "../i18n";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { Room } from "@parley-im/sdk";
import { load, useMessages } from "../store/messages";
import type { Row } from "../store/timeline";
import type { Window } from "../store/window";
import { LoadFailed } from "./LoadFailed";
import style from "./MessageLog.module.css";
import { useScroll } from "./scroll";

/** As far as this, in pixels, rows are drawn before they come into view: a turn of the wheel must not meet a blank. */
const drawnAhead = 1_000;
/** How high is what stands above the rows, in pixels: it grows with the letters. */
const topHeightNow = () => 3.5 * (parseFloat(getComputedStyle(document.documentElement).fontSize) || 16);

/** Where a row stands: the newest of all, and the one through which the keyboard enters the messages. */
export interface Place {
  newest: boolean;
  entry: boolean;
}

/** The rows that can be seen, of many: history is read as one scrolls back, and the newest stay in view while they were. */
export function RowList(props: {
  room: Room;
  held: Window;
  rows: readonly Row[];
  /** Begins at the first unread rather than at the end. */
  startAtFresh: boolean;
  draw: (row: Row, place: Place) => ReactElement;
}) {
  const { room, held, rows, draw } = props;
  const { t } = useTranslation();
  const { shown, shift } = useShift(rows);
  const [topHeight] = useState(topHeightNow);
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const scroll = useScroll(list, props);
  const busy = useMessages((s) => s.loading[room.id] !== undefined);
  const failed = useMessages((s) => s.failed[room.id] === "newer");
  return (
    <>
      {/* Older messages that are read while scrolling back are no news: only at the end are additions told. It scrolls by the keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        ref={scroller}
        className={style.scroller}
        role="log"
        aria-label={t("chat.log")}
        aria-live={scroll.atEnd && held.tail ? "polite" : "off"}
        aria-busy={busy}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        onKeyDown={moveBetweenActions}
      >
        <div className={style.push} />
        <Top room={room} held={held} height={topHeight} />
        <Virtualizer
          ref={list}
          scrollRef={scroller}
          data={shown}
          shift={shift}
          startMargin={topHeight}
          bufferSize={drawnAhead}
          onScroll={scroll.onScroll}
          onScrollEnd={scroll.onScrollEnd}
          onResize={scroll.onResize}
        >
          {(row, i) => (
            <Fragment key={row.key}>
              {draw(row, { newest: i === shown.length - 1, entry: row.key === scroll.entry })}
            </Fragment>
          )}
        </Virtualizer>
        {failed && <LoadFailed onRetry={() => void load(room.id, "newer")} />}
      </div>
      {(!scroll.atEnd || !held.tail) && (
        <button
          type="button"
          className={style.newest}
          data-unread={room.unread > 0}
          aria-label={room.unread > 0 ? t("chat.new_messages") : t("chat.to_newest")}
          onClick={scroll.toNewest}
        >
          {room.unread > 0 && <span>{t("chat.new_messages")}</span>}
          <ArrowDown aria-hidden size={18} />
        </button>
      )}
    </>
  );
}

// What stands above the rows: always as high, or they would move when the last older page has come.
function Top({ room, held, height }: { room: Room; held: Window; height: number }) {
  const { t } = useTranslation();
  const failed = useMessages((s) => s.failed[room.id] === "older");
  return (
    <div className={style.top} style={{ height }}>
      {failed && <LoadFailed onRetry={() => void load(room.id, "older")} />}
      {held.older && !failed && <span className={style.spinner} />}
      {!held.older && held.messages.length > 0 && t("chat.begins")}
    </div>
  );
}

// The list keeps its place only if it is told that rows came or went at the start.
function useShift(rows: readonly Row[]): { shown: readonly Row[]; shift: boolean } {
  const [state, setState] = useState({ shown: rows, shift: false });
  if (state.shown !== rows) {
    const next = { shown: rows, shift: state.shown[0] !== undefined && state.shown[0].key !== rows[0]?.key };
    setState(next);
    return next;
  }
  return state;
}

// Arrow keys go from one message's actions to the next one's.
function moveBetweenActions(event: React.KeyboardEvent<HTMLElement>): void {
  const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
  if (step === 0 || !(event.target instanceof HTMLElement) || event.target.dataset.actions === undefined) {
    return;
  }
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-actions]")];
  const next = all[all.indexOf(event.target) + step];
  if (next) {
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
}

import { MoreHorizontal } from "lucide-react";
import { memo, useEffect, useLayoutEffect, useRef, type RefObject } from "react";
import type { TFunction } from "../i18n";
import { personName } from "../rooms/name";
import { clock, day, full } from "../shell/time";
import { useToday } from "../shell/today";
import { usePeople, wantPerson } from "../store/people";
import { sameRow, type Row } from "../store/timeline";
import { Avatar } from "../ui/Avatar";
import { isEmoji } from "./emoji";
import type { MenuTarget } from "./MessageMenu";
import style from "./MessageRow.module.css";
import { MessageState } from "./MessageState";
import { MessageText } from "./MessageText";
import { useLongPress } from "./press";
import type { Place } from "./RowList";

interface RowProps {
  /** Taken from the list: each row alone would have to ask for the language. */
  t: TFunction;
  row: Row;
  group: boolean;
  /** The peer has read up to here. */
  read: boolean;
  place: Place;
  menuOpen: boolean;
  openMenu: (target: MenuTarget) => void;
}

/** One message with what stands above it (a date, the line of what is new) and below it (time, state). */
export const MessageRow = memo(MessageRowView, (a, b) => {
  const still = a.t === b.t && a.group === b.group && a.read === b.read && a.menuOpen === b.menuOpen;
  return still && a.place.newest === b.place.newest && a.place.entry === b.place.entry && sameRow(a.row, b.row);
});

function MessageRowView({ t, row, group, read, place, menuOpen, openMenu }: RowProps) {
  const name = useSenderName(row, t);
  const button = useRef<HTMLButtonElement>(null);
  const open = () => button.current && openMenu({ row, button: button.current, at: Date.now() });
  return (
    <div className={style.row} data-newest={place.newest}>
      {row.day && <Day at={row.at} />}
      {row.fresh && <p className={style.fresh}>{t("chat.fresh")}</p>}
      <article
        className={style.message}
        aria-label={`${name}, ${clock(row.at)}`}
        data-mine={row.mine}
        data-first={row.first}
        data-last={row.last}
      >
        {group && !row.mine && (
          <div className={style.face}>
            {row.last && <Avatar id={row.message?.sender_id ?? ""} name={name} size={32} />}
          </div>
        )}
        <div className={style.column}>
          {group && !row.mine && row.first && (
            <p className={style.name}>
              <bdi>{name}</bdi>
            </p>
          )}
          <div className={style.line}>
            <Bubble t={t} row={row} onPress={open} />
            {row.message?.type === "text" && (
              <Actions t={t} ref={button} open={open} menuOpen={menuOpen} entry={place.entry} />
            )}
          </div>
          <MessageState t={t} row={row} read={read} newest={place.newest} />
        </div>
      </article>
    </div>
  );
}

interface ActionsProps {
  t: TFunction;
  ref: RefObject<HTMLButtonElement | null>;
  open: () => void;
  menuOpen: boolean;
  entry: boolean;
}

function Actions({ t, ref, open, menuOpen, entry }: ActionsProps) {
  // It goes when its message is removed, or far out of sight: whoever was on it stays among the messages.
  useLayoutEffect(() => {
    const button = ref.current;
    return () => {
      if (document.activeElement === button) {
        button?.closest<HTMLElement>("[role=log]")?.focus({ preventScroll: true });
      }
    };
  }, [ref]);
  return (
    <button
      ref={ref}
      type="button"
      className={style.actions}
      data-actions
      aria-label={t("chat.actions")}
      aria-haspopup="menu"
      aria-expanded={menuOpen}
      tabIndex={entry || menuOpen ? 0 : -1}
      onClick={open}
      // Without the click that would follow, which react-aria takes for a screen reader's: the first item gets the focus.
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          open();
        }
      }}
    >
      <MoreHorizontal aria-hidden size={18} />
    </button>
  );
}

function Day({ at }: { at: string }) {
  useToday();
  return <p className={style.day}>{day(at)}</p>;
}

function Bubble({ t, row, onPress }: { t: TFunction; row: Row; onPress: () => void }) {
  const press = useLongPress(onPress);
  if (row.message?.type === "removed") {
    return (
      <p className={style.removed} title={full(row.at)}>
        {t("chat.removed")}
      </p>
    );
  }
  const text = row.outgoing?.text ?? row.message?.content.text ?? "";
  return (
    // Fingers press the bubble itself; keyboards, mice and screen readers have the button beside it.
    <div
      className={style.bubble}
      title={full(row.at)}
      data-status={row.outgoing?.status}
      data-emoji={isEmoji(text)}
      {...(row.message && press)}
    >
      <MessageText text={text} />
    </div>
  );
}

function useSenderName(row: Row, t: TFunction): string {
  const sender = row.mine ? "" : (row.message?.sender_id ?? "");
  const profile = usePeople((s) => s.profiles[sender]);
  useEffect(() => wantPerson(sender), [sender]);
  if (row.mine) {
    return t("chat.you");
  }
  return profile ? personName(profile, t) : "…";
}

import { SendHorizontal } from "lucide-react";
import { useEffect, useId, useLayoutEffect, useRef, type FormEvent } from "react";
import { useTranslation } from "../i18n";
import { setDraft, useDrafts } from "../store/drafts";
import { send } from "../store/messages";
import style from "./Composer.module.css";
import { sends } from "./ime";

/** The most that a message holds, in characters as the server counts them. */
export const textLimit = 4_000;
/** From here on what is left is told. */
const tellFrom = 3_800;

export function lengthOf(text: string): number {
  return text.length < tellFrom ? text.length : [...text].length;
}

// Indentation is part of what was written; empty lines before it and space after it are not.
function trimmed(text: string): string {
  return text.trimEnd().replace(/^\s*\n/, "");
}

/** Where one writes. What was begun is kept for each room. */
export function Composer({ roomId }: { roomId: string }) {
  const { t } = useTranslation();
  const text = useDrafts((s) => s[roomId] ?? "");
  const field = useField(roomId, text);
  const hint = useId();
  const fingers = byFingers();
  const said = trimmed(text);
  const left = textLimit - lengthOf(said);
  const sendable = said !== "" && left >= 0;
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (sendable) {
      send(roomId, said);
      setDraft(roomId, "");
      field.current?.focus();
    }
  };
  return (
    <form className={style.composer} onSubmit={submit}>
      <div className={style.box}>
        <textarea
          ref={field}
          className={style.field}
          rows={1}
          value={text}
          placeholder={t("composer.placeholder")}
          aria-label={t("composer.label")}
          aria-invalid={left < 0}
          aria-describedby={hint}
          enterKeyHint={fingers ? "enter" : "send"}
          dir="auto"
          onChange={(event) => setDraft(roomId, event.target.value)}
          onKeyDown={(event) => {
            if (sends(event, fingers)) {
              event.preventDefault();
              submit();
            }
          }}
        />
        <button
          type="submit"
          className={style.send}
          aria-label={t("composer.send")}
          aria-disabled={!sendable}
          // The field keeps the focus, and a phone its keyboard.
          onPointerDown={(event) => event.preventDefault()}
        >
          <SendHorizontal aria-hidden size={20} />
        </button>
      </div>
      <p id={hint} className={style.hint} role="status" data-over={left < 0}>
        {left < 0 && t("composer.over", { count: -left })}
        {left >= 0 && left <= textLimit - tellFrom && t("composer.left", { count: left })}
      </p>
    </form>
  );
}

// The field grows with its text, and has the focus when a room is opened with a keyboard at hand.
function useField(roomId: string, text: string) {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = field.current;
    const box = element?.parentElement;
    if (element && box) {
      // The box keeps its height while the field is measured: otherwise the messages above would get taller for a
      // moment, and lose their place at the end.
      box.style.minHeight = `${box.offsetHeight}px`;
      element.style.height = "auto";
      element.style.height = `${element.scrollHeight}px`;
      box.style.minHeight = "";
    }
  }, [text]);
  useEffect(() => {
    const element = field.current;
    if (element && hasKeyboard()) {
      element.focus({ preventScroll: true });
      element.setSelectionRange(element.value.length, element.value.length);
    }
  }, [roomId]);
  return field;
}

// On a phone the focus would bring its keyboard up, over what one wants to read.
function hasKeyboard(): boolean {
  return window.matchMedia("(hover: hover) and (pointer: fine)").matches;
}

// A phone's keyboard has no Shift and Enter: there Enter begins a new line, and the button sends.
function byFingers(): boolean {
  return window.matchMedia("(pointer: coarse)").matches;
}

/** Stands in the composer's place where nobody can write any more. */
export function ClosedNotice({ name }: { name: string }) {
  const { t } = useTranslation();
  return <p className={style.closed}>{t("composer.closed", { name })}</p>;
}

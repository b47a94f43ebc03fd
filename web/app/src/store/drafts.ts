import { create } from "zustand";

const prefix = "parley.drafts";

/**
 * Text that was begun and not sent, by room id. This browser keeps each text under a key of its own, so that tabs do not
 * overwrite each other's, until its owner signs out.
 */
export const useDrafts = create<Record<string, string>>(() => ({}));

let owner = "";

const keyOf = (roomId: string) => `${prefix}.${owner}.${roomId}`;

/** Takes up what this user had begun; what another one had is forgotten. */
export function openDrafts(userId: string): void {
  owner = userId;
  const drafts: Record<string, string> = {};
  eachKept((key) => {
    if (key.startsWith(keyOf(""))) {
      drafts[key.slice(keyOf("").length)] = localStorage.getItem(key) ?? "";
    } else {
      localStorage.removeItem(key);
    }
  });
  useDrafts.setState(drafts, true);
}

export function setDraft(roomId: string, text: string): void {
  if (text !== (useDrafts.getState()[roomId] ?? "")) {
    show(roomId, text);
    try {
      if (text === "") {
        localStorage.removeItem(keyOf(roomId));
      } else {
        localStorage.setItem(keyOf(roomId), text);
      }
    } catch {
      // Storage is full or blocked: the text is kept for this visit.
    }
  }
}

export function forgetDrafts(): void {
  useDrafts.setState({}, true);
  eachKept((key) => localStorage.removeItem(key));
}

function show(roomId: string, text: string): void {
  const { [roomId]: _, ...others } = useDrafts.getState();
  useDrafts.setState(text === "" ? others : { ...others, [roomId]: text }, true);
}

function eachKept(act: (key: string) => void): void {
  try {
    Object.keys(localStorage)
      .filter((key) => key.startsWith(prefix))
      .forEach(act);
  } catch {
    // Storage is blocked: nothing is kept there.
  }
}

// Another tab wrote or sent: this one follows, unless something else was typed here meanwhile.
window.addEventListener("storage", ({ key, oldValue, newValue }) => {
  if (key?.startsWith(keyOf(""))) {
    const roomId = key.slice(keyOf("").length);
    if ((useDrafts.getState()[roomId] ?? "") === (oldValue ?? "")) {
      show(roomId, newValue ?? "");
    }
  }
});

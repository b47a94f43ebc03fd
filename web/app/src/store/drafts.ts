import { create } from "zustand";

const key = "parley.drafts";

interface Kept {
  user: string;
  texts: Record<string, string>;
}

/** What was begun and not sent, by room id. It is kept in this browser until its owner signs out. */
export const useDrafts = create<Record<string, string>>(() => ({}));

let owner = "";

/** Takes up what this user had begun; what another one had is forgotten. */
export function openDrafts(userId: string): void {
  owner = userId;
  const { user, texts } = load();
  useDrafts.setState(user === userId ? texts : {}, true);
}

export function setDraft(roomId: string, text: string): void {
  const { [roomId]: before, ...drafts } = useDrafts.getState();
  if (text !== (before ?? "")) {
    save(text === "" ? drafts : { ...drafts, [roomId]: text });
  }
}

export function forgetDrafts(): void {
  save({});
}

function load(): Kept {
  try {
    const { user = "", texts = {} } = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Kept>;
    return { user, texts };
  } catch {
    return { user: "", texts: {} }; // storage is blocked, or was written by someone else
  }
}

function save(texts: Record<string, string>): void {
  useDrafts.setState(texts, true);
  try {
    localStorage.setItem(key, JSON.stringify({ user: owner, texts } satisfies Kept));
  } catch {
    // They are kept for this visit.
  }
}

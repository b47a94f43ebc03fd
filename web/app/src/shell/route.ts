import { useMemo, useSyncExternalStore } from "react";

/*
 * Where one is in the app is the location's hash: "#/rooms/ID" is ["rooms", "ID"].
 *
 *   #/login  #/register  #/reset          signed out
 *   #/rooms  #/rooms/ID  #/rooms/ID/…     chats; what is about one group below it
 *   #/friends  #/friends/…   #/settings  #/settings/…
 */
export type Path = readonly string[];

export function parsePath(hash: string): Path {
  return hash
    .replace(/^#?\/?/, "")
    .split("/")
    .filter((part) => part !== "")
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part; // typed by hand
      }
    });
}

/** The href of a place, for links: href("rooms", id). */
export function href(...path: string[]): string {
  return "#/" + path.map(encodeURIComponent).join("/");
}

/** Goes to a place. With replace, "back" passes over the present one. */
export function navigate(path: Path, options: { replace?: boolean } = {}): void {
  const to = href(...path);
  if (location.hash === to) {
    return;
  }
  if (options.replace) {
    replace(to);
  } else {
    location.hash = to;
  }
}

function replace(to: string): void {
  history.replaceState(history.state, "", to);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Goes to the place above the present one: as the browser's "back" does when that is where one came from, else instead of it. */
export function back(to: string): void {
  if ((history.state as Entry | null)?.from === to) {
    history.back();
  } else {
    replace(to);
  }
}

/** What is noted with each entry of the browser's history: the place before it. */
interface Entry {
  from?: string;
}

// A link's entry comes without a state; those that one goes back or forward to have theirs.
let present = place();
function note(entry: Entry): void {
  if (history.state === null) {
    history.replaceState(entry, "");
  }
  present = place();
}
note({});
window.addEventListener("hashchange", () => note({ from: present }));

function place(): string {
  return location.hash || href("rooms");
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

export function usePath(): Path {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => parsePath(hash), [hash]);
}

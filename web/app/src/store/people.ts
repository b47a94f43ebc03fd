import type { Profile } from "@parley-im/sdk";
import { create } from "zustand";
import { useSession } from "./session";

/** Profiles that were seen, by user id. */
export const usePeople = create<{ profiles: Record<string, Profile> }>(() => ({ profiles: {} }));

const atOnce = 4;
const wanted: string[] = [];
const asked = new Set<string>();
/** Those whose profile could not be read. */
const missed = new Set<string>();
let running = 0;

/** Remembers profiles that came with something else: a friend, a room's peer, a member. */
export function rememberPeople(profiles: readonly Profile[]): void {
  if (profiles.length > 0) {
    usePeople.setState((s) => ({
      profiles: { ...s.profiles, ...Object.fromEntries(profiles.map((p) => [p.id, p])) },
    }));
  }
}

/** Fetches the profile of a user who is not known yet, a few at once. */
export function wantPerson(id: string): void {
  if (id === "" || asked.has(id) || usePeople.getState().profiles[id]) {
    return;
  }
  asked.add(id);
  wanted.push(id);
  void work();
}

async function work(): Promise<void> {
  const { session } = useSession.getState();
  if (running >= atOnce || !session) {
    return;
  }
  running++;
  for (let id = wanted.shift(); id !== undefined; id = wanted.shift()) {
    try {
      rememberPeople([await session.profile(id)]);
    } catch {
      asked.delete(id);
      missed.add(id);
    }
  }
  running--;
}

/** Fetches what could not be read before. */
export function wantMissed(): void {
  const again = [...missed];
  missed.clear();
  again.forEach(wantPerson);
}

/** Has the user asked for anew when they are shown next: what is known of them holds no more. */
export function forgetPerson(id: string): void {
  asked.delete(id);
  usePeople.setState(({ profiles: { [id]: _, ...others } }) => ({ profiles: others }));
}

export function forgetPeople(): void {
  wanted.length = 0;
  asked.clear();
  missed.clear();
  usePeople.setState({ profiles: {} });
}

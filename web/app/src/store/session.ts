import type { Session, User } from "@parley-im/sdk";
import { create } from "zustand";
import { parley } from "./parley";

export type Ended = "logout" | "revoked" | "expired";

interface SessionState {
  /** "starting" until it is known whether the last visit's session goes on. */
  status: "starting" | "out" | "in";
  session: Session | null;
  /** Who is signed in, as last known. */
  user: User | null;
  /** Why the last session ended; for the login screen to tell. */
  ended: Ended | null;
}

export const useSession = create<SessionState>(() => ({ status: "starting", session: null, user: null, ended: null }));

/** Takes a session that login or register gave. */
export function beginSession(session: Session): void {
  session.on("ended", (reason) => {
    if (useSession.getState().session === session) {
      useSession.setState({ status: "out", session: null, user: null, ended: reason });
    }
  });
  useSession.setState({ status: "in", session, user: session.user, ended: null });
}

/** Goes on with the session of the last visit, if there is one. */
export async function resumeSession(): Promise<void> {
  const session = await parley.resume().catch(() => null);
  if (session) {
    beginSession(session);
  } else {
    useSession.setState({ status: "out" });
  }
}

export function setUser(user: User): void {
  useSession.setState({ user });
}

/** The session, where there must be one: in what only signed-in people see. */
export function currentSession(): Session {
  const { session } = useSession.getState();
  if (!session) {
    throw new Error("nobody is signed in");
  }
  return session;
}

/** The id of who is signed in; empty when nobody is. */
export function useMyId(): string {
  return useSession((s) => s.session?.userId ?? "");
}

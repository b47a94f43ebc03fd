import type { Role } from "@parley-im/sdk";
import { useCallback, useEffect, useRef, useState } from "react";
import { useConnection } from "../store/connection";
import { rememberPeople, wantPerson } from "../store/people";
import { currentSession } from "../store/session";
import { entryOf, withJoined, withLeft, withMembers, withRole, type Roster } from "./roster";

export interface Members {
  roster: Roster;
  /** Whether all pages are here. */
  complete: boolean;
  error: unknown;
  reload: () => void;
  /** What the user did here, before it is told by push. */
  left: (userId: string) => void;
  role: (userId: string, role: Role) => void;
}

/** A group's members, all pages of them, kept up to what is told. */
export function useMembers(roomId: string): Members {
  const [roster, setRoster] = useState<Roster>([]);
  const [complete, setComplete] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const connection = useConnection((s) => s.connection);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  // Heard while pages are read: newer than they are.
  const heard = useRef<((r: Roster) => Roster)[]>([]);

  const change = useCallback((f: (r: Roster) => Roster) => {
    heard.current.push(f);
    setRoster(f);
  }, []);

  useEffect(() => {
    let over = false;
    heard.current = [];
    void (async () => {
      setError(null);
      let all: Roster = [];
      try {
        for (let cursor: string | undefined; cursor !== "";) {
          const page = await currentSession().members(roomId, { limit: 200, ...(cursor ? { cursor } : {}) });
          if (over) return;
          rememberPeople(page.items.map((m) => m.user));
          all = withMembers(all, page.items.map(entryOf));
          cursor = page.next_cursor;
          const read = heard.current.reduce((r, f) => f(r), all);
          setRoster((before) => (cursor === "" ? read : withMembers(before, read)));
        }
        setComplete(true);
      } catch (e) {
        if (!over) setError(e);
      }
    })();
    return () => void (over = true);
  }, [roomId, round]);

  useEffect(() => {
    if (!connection) return;
    const offs = [
      connection.on("member.joined", (e) => {
        if (e.room_id !== roomId) return;
        e.members.forEach((m) => wantPerson(m.user_id));
        change((r) => withJoined(r, e));
      }),
      connection.on("member.left", (e) => e.room_id === roomId && change((r) => withLeft(r, e))),
      connection.on("room.updated", ({ room_id, member }) => {
        if (room_id === roomId && member) change((r) => withRole(r, member.user_id, member.role));
      }),
      connection.on("user.disabled", (e) => e.room_id === roomId && reload()),
      connection.on("resync", reload),
    ];
    return () => offs.forEach((off) => off());
  }, [connection, roomId, change, reload]);

  return {
    roster,
    complete,
    error,
    reload,
    left: (userId) => change((r) => withLeft(r, { user_id: userId })),
    role: (userId, role) => change((r) => withRole(r, userId, role)),
  };
}

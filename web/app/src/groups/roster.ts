import type { MemberJoined, MemberLeft, Role, RoomMember } from "@parley-im/sdk";

/*
 * The members of one group as far as they are known, the longest-serving
 * first. Every function may be applied twice.
 */
export type Roster = readonly Entry[];

/** A member; who they are may have to be looked up. */
export interface Entry {
  user_id: string;
  role: Role;
  joined_at: string;
}

export function entryOf(member: RoomMember): Entry {
  return { user_id: member.user.id, role: member.role, joined_at: member.joined_at };
}

/** Adds a page, or those who joined; of someone known the later word counts. */
export function withMembers(roster: Roster, members: readonly Entry[]): Roster {
  const all = new Map(roster.map((m) => [m.user_id, m]));
  for (const m of members) all.set(m.user_id, m);
  return [...all.values()].sort((a, b) => (a.joined_at < b.joined_at ? -1 : a.joined_at > b.joined_at ? 1 : 0));
}

export function withJoined(roster: Roster, joined: Pick<MemberJoined, "members">): Roster {
  return withMembers(roster, joined.members);
}

export function withLeft(roster: Roster, left: Pick<MemberLeft, "user_id" | "new_owner_id">): Roster {
  const rest = roster.filter((m) => m.user_id !== left.user_id);
  return left.new_owner_id ? withRole(rest, left.new_owner_id, "owner") : rest;
}

/** Changes a role. There is one owner: the one before has become an admin. */
export function withRole(roster: Roster, userId: string, role: Role): Roster {
  return roster.map((m) => {
    if (m.user_id === userId) return { ...m, role };
    return role === "owner" && m.role === "owner" ? { ...m, role: "admin" } : m;
  });
}

/** Who takes a group over when its owner leaves: the longest-serving admin, else the longest-serving member. */
export function heirOf(roster: Roster, ownerId: string): Entry | undefined {
  const others = roster.filter((m) => m.user_id !== ownerId);
  return others.find((m) => m.role === "admin") ?? others[0];
}

import type { Role } from "@parley-im/sdk";

/* Who may do what in a group; services/social/room.go decides, this only keeps the app from offering more. */

export function mayRename(mine: Role): boolean {
  return mine !== "member";
}

export function mayDisband(mine: Role): boolean {
  return mine === "owner";
}

/** Whether someone of one's own role may remove another of theirs. */
export function mayRemove(mine: Role, theirs: Role): boolean {
  return mine === "owner" || (mine === "admin" && theirs === "member");
}

/** The roles that one may give to another member; their own is not among them. */
export function mayGive(mine: Role, theirs: Role): Role[] {
  if (mine !== "owner") return [];
  return (["admin", "member", "owner"] as const).filter((role) => role !== theirs);
}

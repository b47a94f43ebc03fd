import type { Connection, Friend } from "@parley-im/sdk";
import { create } from "zustand";
import { useConnection } from "./connection";
import { rememberPeople } from "./people";
import { currentSession, useSession } from "./session";

interface FriendsState {
  /** By user id. */
  friends: Readonly<Record<string, Friend>>;
  /** "more": the first page is here, further ones come. */
  status: "none" | "loading" | "more" | "all";
  error: unknown;
}

const nothing: FriendsState = { friends: {}, status: "none", error: null };

export const useFriends = create<FriendsState>(() => nothing);

const pageSize = 200;

/** What was heard while pages are being read: it is newer than they are. Null: no friend any more. */
let heard: Map<string, Friend | null> | null = null;
/** Counts readings; of two at once the later one counts. */
let reading = 0;

/** Reads all friends, page by page; those known stay in sight meanwhile. */
export async function loadFriends(): Promise<void> {
  const mine = ++reading;
  const session = currentSession();
  heard = new Map();
  const found: Record<string, Friend> = {};
  useFriends.setState((s) => ({ error: null, status: s.status === "none" ? "loading" : s.status }));
  try {
    for (let cursor: string | undefined; cursor !== "";) {
      const page = await session.friends({ limit: pageSize, ...(cursor ? { cursor } : {}) });
      if (mine !== reading) return;
      for (const friend of page.items) found[friend.user.id] = friend;
      rememberPeople(page.items.map((f) => f.user));
      cursor = page.next_cursor;
      const seen = withHeard(found);
      useFriends.setState((s) =>
        cursor === "" ? { friends: seen, status: "all" } : { friends: { ...s.friends, ...seen }, status: "more" },
      );
    }
  } catch (error) {
    if (mine === reading) useFriends.setState((s) => ({ error, status: s.status === "loading" ? "none" : s.status }));
  } finally {
    if (mine === reading) heard = null;
  }
}

function withHeard(found: Record<string, Friend>): Record<string, Friend> {
  const friends = { ...found };
  heard?.forEach((friend, id) => {
    if (friend) friends[id] = friend;
    else delete friends[id];
  });
  return friends;
}

/** Takes a new friend, from a push or an answer; twice does no harm. */
export function takeFriend(friend: Friend): void {
  heard?.set(friend.user.id, friend);
  rememberPeople([friend.user]);
  useFriends.setState((s) => ({ friends: { ...s.friends, [friend.user.id]: friend } }));
}

export function dropFriend(userId: string): void {
  heard?.set(userId, null);
  useFriends.setState((s) => {
    const { [userId]: _gone, ...friends } = s.friends;
    return { friends };
  });
}

/** Keeps the list up to what is told, as long as someone is signed in. */
export function keepFriends(): () => void {
  let stop = () => {};
  const follow = (connection: Connection | null) => {
    stop();
    stop = connection ? bind(connection) : () => {};
  };
  follow(useConnection.getState().connection);
  const unsubscribe = useConnection.subscribe((now, before) => {
    if (now.connection !== before.connection) follow(now.connection);
  });
  return () => {
    unsubscribe();
    stop();
  };
}

function bind(connection: Connection): () => void {
  const offs = [
    connection.on("friend.added", ({ user, room_id, since }) =>
      takeFriend({ user: { ...user, is_friend: true }, room_id, since }),
    ),
    connection.on("friend.removed", ({ user_id }) => dropFriend(user_id)),
    connection.on("user.disabled", () => void loadFriends()),
    connection.on("resync", () => void loadFriends()),
  ];
  void loadFriends();
  return () => {
    offs.forEach((off) => off());
    reading++;
    heard = null;
    useFriends.setState(nothing, true);
  };
}

/** Friends in the order of their names, as the language has it; those that match when there is something to match. */
export function sortedFriends(friends: Readonly<Record<string, Friend>>, language: string, filter = ""): Friend[] {
  const order = new Intl.Collator(language, { sensitivity: "base", numeric: true });
  const want = filter.trim().toLowerCase();
  return Object.values(friends)
    .filter(({ user }) => !want || user.nickname.toLowerCase().includes(want) || user.account.includes(want))
    .sort((a, b) => order.compare(a.user.nickname, b.user.nickname) || (a.user.id < b.user.id ? -1 : 1));
}

/** Befriends a user and returns the direct room's id. Someone who is a friend already is no error. */
export async function befriend(userId: string): Promise<string> {
  const session = currentSession();
  const added = await session.addFriend({ user_id: userId });
  if (useSession.getState().session === session) {
    takeFriend({ user: added.user, room_id: added.room_id, since: new Date().toISOString() });
  }
  return added.room_id;
}

export async function unfriend(userId: string): Promise<void> {
  await currentSession().removeFriend(userId);
  dropFriend(userId);
}

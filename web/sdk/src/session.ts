import { Connection, type ConnectOptions } from "./connection.js";
import { Emitter } from "./emitter.js";
import { isCode } from "./error.js";
import { type Call, type Http, query } from "./http.js";
import { newId } from "./id.js";
import type { SessionStore, StoredSession } from "./store.js";
import { type Ending, Tokens } from "./token.js";
import type {
  AddedMembers,
  Body,
  Friend,
  MessagePage,
  NewFriend,
  Page,
  PageRequest,
  Profile,
  Range,
  Role,
  Room,
  RoomMember,
  SessionInfo,
  User,
} from "./types.js";
import type { WebSocketClass } from "./socket.js";

/** What a session tells. */
export interface SessionEvents {
  /**
   * The session is over on this device: "logout" here or in another tab,
   * "revoked" from another device or by a new password, "expired" when it can't
   * be renewed.
   */
  ended: Ending;
}

/**
 * Session is a signed-in device. Its calls reject with a ParleyError; those
 * after the end with the code "unauthenticated".
 */
export class Session {
  readonly userId: string;
  readonly sessionId: string;
  readonly #events = new Emitter<SessionEvents>();
  readonly #tokens: Tokens;

  /** @internal */
  constructor(
    private readonly http: Http,
    store: SessionStore,
    stored: StoredSession,
    private readonly webSocket: WebSocketClass | undefined,
  ) {
    this.userId = stored.user_id;
    this.sessionId = stored.session_id;
    this.#tokens = new Tokens(http, store, stored, (why) => this.#events.emit("ended", why));
  }

  /** The user as last known; null when that was never. */
  get user(): User | null {
    return this.#tokens.current.user;
  }

  /** on adds a listener, and returns what removes it. */
  on<E extends keyof SessionEvents>(event: E, f: (data: SessionEvents[E]) => void): () => void {
    return this.#events.on(event, f);
  }

  /** accessToken returns a token that lives for a minute yet, or a third of its life when that is shorter. */
  accessToken(): Promise<string> {
    return this.#tokens.fresh();
  }

  /** logout ends the session here, and on the server if it can be reached. */
  async logout(): Promise<void> {
    this.#tokens.leave();
    await this.#call({ method: "POST", path: "/auth/logout" }).catch(() => undefined);
    await this.#tokens.end("logout");
  }

  async me(): Promise<User> {
    return this.#know(await this.#call<User>({ method: "GET", path: "/users/me" }));
  }

  async updateMe(patch: Body<"updateMe">): Promise<User> {
    return this.#know(await this.#call<User>({ method: "PATCH", path: "/users/me", body: patch }));
  }

  /** changePassword ends the user's other sessions. A wrong old one is "invalid_argument" on old_password. */
  changePassword(oldPassword: string, newPassword: string): Promise<void> {
    const body: Body<"changePassword"> = { old_password: oldPassword, new_password: newPassword };
    return this.#call({ method: "PUT", path: "/users/me/password", body });
  }

  /** sessions lists all of the user's devices, the last used first. */
  async sessions(): Promise<SessionInfo[]> {
    const all: SessionInfo[] = [];
    for (let cursor: string | undefined; cursor !== "";) {
      const path = `/auth/sessions${query({ limit: 200, cursor })}`;
      const page = await this.#call<Page<SessionInfo>>({ method: "GET", path });
      all.push(...page.items);
      cursor = page.next_cursor;
    }
    return all;
  }

  endSession(id: string): Promise<void> {
    return this.#call({ method: "DELETE", path: `/auth/sessions/${encodeURIComponent(id)}` });
  }

  /** findUser looks a user up by account; null: there is none. */
  async findUser(account: string): Promise<Profile | null> {
    try {
      return await this.#call<Profile>({ method: "GET", path: `/users${query({ account })}` });
    } catch (error) {
      if (isCode(error, "not_found")) return null;
      throw error;
    }
  }

  /** profile is what is told of another user. */
  profile(id: string): Promise<Profile> {
    return this.#call({ method: "GET", path: `/users/${encodeURIComponent(id)}` });
  }

  friends(page: PageRequest = {}): Promise<Page<Friend>> {
    return this.#call({ method: "GET", path: `/friends${query(page)}` });
  }

  /** addFriend befriends a user, by account or id. Friends already: "already_exists". */
  addFriend(who: { account: string } | { user_id: string }): Promise<NewFriend> {
    return this.#call({ method: "POST", path: "/friends", body: who });
  }

  removeFriend(userId: string): Promise<void> {
    return this.#call({ method: "DELETE", path: `/friends/${encodeURIComponent(userId)}` });
  }

  /** rooms lists the user's rooms, latest activity first. */
  rooms(page: PageRequest = {}): Promise<Page<Room>> {
    return this.#call({ method: "GET", path: `/rooms${query(page)}` });
  }

  room(id: string): Promise<Room> {
    return this.#call({ method: "GET", path: room(id) });
  }

  /** createRoom makes a group; repeated under the same client_id it returns the first one. */
  createRoom(b: Omit<Body<"createRoom">, "history"> & { history?: "joined" | "all" }): Promise<Room> {
    return this.#call({ method: "POST", path: "/rooms", body: { client_id: newId(), ...b }, repeatable: true });
  }

  renameRoom(id: string, name: string): Promise<Room> {
    return this.#call({ method: "PATCH", path: room(id), body: { name } });
  }

  /** disbandRoom ends a group for all of its members. */
  disbandRoom(id: string): Promise<void> {
    return this.#call({ method: "DELETE", path: room(id) });
  }

  /** members lists a room's members, the longest-serving first. */
  members(id: string, page: PageRequest = {}): Promise<Page<RoomMember>> {
    return this.#call({ method: "GET", path: `${room(id)}/members${query(page)}` });
  }

  /** addMembers adds friends to a group, all or none. */
  addMembers(id: string, userIds: string[]): Promise<AddedMembers> {
    const body: Body<"addMembers"> = { user_ids: userIds };
    return this.#call({ method: "POST", path: `${room(id)}/members`, body, repeatable: true });
  }

  /** setRole changes a role; "owner" hands the group over, and makes the caller an admin. */
  setRole(id: string, userId: string, role: Role): Promise<RoomMember> {
    return this.#call({ method: "PATCH", path: `${room(id)}/members/${encodeURIComponent(userId)}`, body: { role } });
  }

  /** removeMember removes someone from a group; yourself: you leave it. */
  removeMember(id: string, userId: string): Promise<void> {
    return this.#call({ method: "DELETE", path: `${room(id)}/members/${encodeURIComponent(userId)}` });
  }

  /** history reads a page of a room's log. */
  history(roomId: string, range: Range = {}): Promise<MessagePage> {
    return this.#call({ method: "GET", path: `${room(roomId)}/messages${query(range)}` });
  }

  /** connect opens a live connection, which is kept until it is closed or the session ends. It starts at once. */
  connect(o: ConnectOptions = {}): Connection {
    return new Connection(this, this.#tokens, this.http.urls, { webSocket: this.webSocket, ...o });
  }

  async #know(user: User): Promise<User> {
    await this.#tokens.update({ user });
    return user;
  }

  /** #call makes a call as the user, and once more with another token when the first is refused. */
  async #call<T>(c: Call): Promise<T> {
    const token = await this.#tokens.fresh();
    try {
      return await this.http.call<T>({ ...c, token });
    } catch (error) {
      if (!isCode(error, "unauthenticated")) throw error;
      return this.http.call<T>({ ...c, token: await this.#tokens.other(token) });
    }
  }
}

function room(id: string): string {
  return `/rooms/${encodeURIComponent(id)}`;
}

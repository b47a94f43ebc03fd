import { memoryCursors, type Connection, type Events, type Message, type Session } from "@parley-im/sdk";
import { Burst } from "./burst";
import { useConnection } from "./connection";
import { forgetDrafts, openDrafts } from "./drafts";
import { forgetMessages, forgetRoom, refreshWindows, takeMessages, takeOutgoing, takeRemoval } from "./messages";
import { forgetPeople, forgetPerson, rememberPeople, wantMissed } from "./people";
import { withHeads, withMessage, withPatch, withRead, withRemoved } from "./roombook";
import {
  changeBook,
  dropRoom,
  forgetRooms,
  loadMoreRooms,
  noteRead,
  readRoom,
  refreshRooms,
  takeRooms,
  useRooms,
} from "./rooms";
import { useSession } from "./session";

/** Whoever wants to hear of messages as they come, such as notifications. */
type Listener = (message: Message) => void;
const listeners = new Set<Listener>();

/** Calls back for every message that is pushed; returns what ends it. */
export function onMessage(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Keeps a connection as long as someone is signed in, and the stores up to what it tells. */
export function keepLive(): () => void {
  let stop = () => {};
  let present: Session | null = null;
  const follow = (session: Session | null) => {
    if (session !== present) {
      stop();
      present = session;
      stop = session ? start(session) : () => {};
    }
  };
  follow(useSession.getState().session);
  const unsubscribe = useSession.subscribe((s) => follow(s.session));
  return () => {
    unsubscribe();
    stop();
  };
}

function start(session: Session): () => void {
  // History is read by pages: a visit begins where the rooms stand rather than where the last one stopped.
  const connection = session.connect({ cursors: memoryCursors() });
  useConnection.setState({ connection, state: connection.state });
  connection.on("state", (state) => useConnection.setState({ state }));
  openDrafts(session.userId);
  const burst = new Burst<Message>((messages) => takeAll(messages, session.userId));
  bindMessages(connection, session.userId, burst);
  bindRooms(connection, session.userId);
  void loadMoreRooms();
  return () => {
    connection.close();
    burst.drop();
    useConnection.setState({ connection: null, state: "connecting" });
    forgetRooms();
    forgetMessages();
    forgetPeople();
    if (useSession.getState().ended === "logout") {
      forgetDrafts(); // others may use this device now
    }
  };
}

function takeAll(messages: readonly Message[], myId: string): void {
  const { book } = useRooms.getState();
  for (const id of new Set(messages.map((m) => m.room_id))) {
    if (!book.rooms[id]) {
      void readRoom(id).catch(() => {}); // the next message asks again
    }
  }
  changeBook((b) => messages.reduce((sum, message) => withMessage(sum, message, myId), b));
  takeMessages(messages);
}

function bindMessages(connection: Connection, myId: string, burst: Burst<Message>): void {
  connection.on("outgoing", takeOutgoing);
  connection.on("message", (message) => {
    burst.add(message);
    listeners.forEach((listener) => listener(message));
  });
  connection.on("message.removed", (removed) => {
    burst.flush();
    changeBook((book) => withRemoved(book, removed));
    takeRemoval(removed);
  });
  const read = (room_id: string, user_id: string, seq: number) => {
    if (user_id === myId) {
      changeBook((book) => withRead(book, room_id, seq));
    } else {
      noteRead(room_id, user_id, seq);
    }
  };
  connection.on("room.read", (r) => read(r.room_id, r.user_id, r.seq));
  connection.on("room.reads", (r) => r.reads.forEach(({ user_id, seq }) => read(r.room_id, user_id, seq)));
}

function bindRooms(connection: Connection, myId: string): void {
  const gone = (id: string) => {
    dropRoom(id);
    forgetRoom(id);
  };
  connection.on("ready", ({ rooms }) => {
    changeBook((book) => withHeads(book, rooms));
    connection.outgoing().forEach(takeOutgoing); // also what an earlier visit left
  });
  connection.on("resync", () => {
    void refreshWindows();
    void refreshRooms();
    wantMissed();
  });
  connection.on("room.created", (room) => takeRooms([room]));
  connection.on("room.updated", (u) => changeBook((book) => withPatch(book, u.room_id, updatedOf(u, myId))));
  connection.on("room.disbanded", ({ room_id }) => gone(room_id));
  connection.on("member.joined", ({ room_id, member_count }) =>
    changeBook((book) => withPatch(book, room_id, { member_count })),
  );
  connection.on("member.left", ({ room_id, user_id, member_count }) =>
    user_id === myId ? gone(room_id) : changeBook((book) => withPatch(book, room_id, { member_count })),
  );
  connection.on("friend.added", ({ user, room_id }) => {
    rememberPeople([{ ...user, is_friend: true }]);
    void readRoom(room_id).catch(() => {}); // the next refresh brings it
  });
  connection.on("user.disabled", ({ room_id, user_id }) => {
    forgetPerson(user_id);
    void readRoom(room_id).catch(() => {}); // the next refresh brings it
  });
  connection.on("friend.removed", ({ room_id }) => changeBook((book) => withPatch(book, room_id, { closed: true })));
}

function updatedOf(u: Events["room.updated"], myId: string) {
  const { name, closed, member } = u;
  return { name, closed, ...(member?.user_id === myId ? { role: member.role } : {}) };
}

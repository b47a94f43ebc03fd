import { expect, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import {
  type ConnectOptions,
  type Connection,
  type Events,
  type Message,
  memorySessionStore,
  Parley,
  type ParleyOptions,
  type Session,
  type WebSocketClass,
} from "../index.js";
import type { Gateway } from "./gateway.js";

/** patience is how long anything may take that a test waits for, in milliseconds. */
const patience = 20_000;

vi.setConfig({ testTimeout: 2 * patience });

/** The package ws stands in for what browsers have. */
export const webSocket: WebSocketClass = WebSocket;

/** dice gives the same numbers in each run (mulberry32). */
export function dice(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** eventually waits for a condition. */
export async function eventually(what: string, holds: () => unknown): Promise<void> {
  await vi.waitFor(async () => expect(await holds(), what).toBeTruthy(), { timeout: patience, interval: 5 });
}

export function parley(gateways: Gateway[], o: ParleyOptions = {}): Parley {
  return new Parley({ urls: gateways.map((g) => g.url), store: memorySessionStore(), webSocket, ...o });
}

export function login(gateways: Gateway[], o?: ParleyOptions): Promise<Session> {
  return parley(gateways, o).login({ account: "ann", password: "correct horse battery" });
}

/** Told is a connection with all that it has told. */
export class Told {
  readonly messages: Message[] = [];
  readonly events: [keyof Events, unknown][] = [];

  constructor(readonly connection: Connection) {
    connection.on("message", (m) => this.messages.push(m));
    for (const event of heard) connection.on(event, (data: unknown) => this.events.push([event, data]));
    onTestFinished(() => connection.close());
  }

  of<E extends keyof Events>(event: E): Events[E][] {
    return this.events.filter(([name]) => name === event).map(([, data]) => data as Events[E]);
  }

  seqs(room: string): number[] {
    return this.messages.filter((m) => m.room_id === room).map((m) => m.seq);
  }

  state(state: Events["state"]): Promise<void> {
    return eventually(`it is ${state}`, () => this.connection.state === state);
  }

  /** ready waits until it has connected that often. */
  ready(times = 1): Promise<void> {
    return eventually(`it has connected ${times} times`, () => this.of("ready").length >= times);
  }

  /** follow waits for seqs first to last of a room, and checks that nothing else came of it, nor in another order. */
  async follow(room: string, first: number, last: number): Promise<void> {
    const wanted = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    await eventually(`${room} up to ${last}`, () => (this.seqs(room).at(-1) ?? 0) >= last);
    expect(this.seqs(room)).toEqual(wanted);
  }
}

const heard = [
  "state",
  "outgoing",
  "message.removed",
  "room.read",
  "room.reads",
  "room.created",
  "room.updated",
  "room.disbanded",
  "member.joined",
  "member.left",
  "user.disabled",
  "friend.added",
  "friend.removed",
  "session.revoked",
  "ready",
  "resync",
] as const satisfies (keyof Events)[];

/** connect opens a connection whose times are short, and waits until it is ready. */
export async function connect(session: Session, o: ConnectOptions = {}): Promise<Told> {
  const told = open(session, o);
  await told.ready();
  return told;
}

export function open(session: Session, o: ConnectOptions = {}): Told {
  return new Told(
    session.connect({ random: dice(1), ...o, timing: { backoff: 200, hold: 1, save: 10, drain: 10, ...o.timing } }),
  );
}

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Socket, type WebSocketLike } from "./socket.js";

/** A WebSocket whose other end is the test. */
class Wire implements WebSocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: string[] = [];
  send(data: string) {
    this.sent.push(data);
  }
  close() {}
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a socket that is closed by who is told that it is ready leaves nothing running", async () => {
  const wire = new Wire();
  const pushed: string[] = [];
  const patience = { open: 1000, reply: 1000, check: 1000, drain: 1000 };
  const WebSocket = class {
    constructor() {
      return wire;
    }
  } as unknown as new (url: string) => Wire;
  const socket = new Socket("http://127.0.0.1", "token", WebSocket, patience, (op) => pushed.push(op));
  const ready = socket.ready(() => socket.close()).catch((why: unknown) => why);
  wire.onopen?.();
  await vi.waitFor(() => expect(wire.sent.length).toBe(1));
  wire.onmessage?.({ data: JSON.stringify({ op: "news" }) });
  wire.onmessage?.({ data: JSON.stringify({ id: "1", op: "ok", data: { heartbeat_ms: 1000, rooms: [] } }) });
  await ready;
  expect(vi.getTimerCount()).toBe(0);
  expect(pushed).toEqual([]);
});

import type { WebSocketClass } from "./socket.js";

/** platformWebSocket returns the WebSocket of browsers. */
export function platformWebSocket(): WebSocketClass | undefined {
  return globalThis.WebSocket;
}

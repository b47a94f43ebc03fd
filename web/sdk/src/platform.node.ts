import { WebSocket } from "ws";
import type { WebSocketClass } from "./socket.js";

/** platformWebSocket returns Node's own WebSocket, and that of the package ws where Node has none (before 22). */
export function platformWebSocket(): WebSocketClass {
  return globalThis.WebSocket ?? WebSocket;
}

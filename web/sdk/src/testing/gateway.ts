import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { ErrorCode } from "../types.js";
import { World } from "./world.js";

export interface Frame {
  id: string;
  op: string;
  // What tests look at; each op has some of it.
  data: { token: string; room_id: string; client_id: string; content: { text: string }; seq: number; limit: number };
}

/** Peer is the gateway's end of a socket. */
export class Peer {
  constructor(readonly ws: WebSocket) {}

  ok(f: Frame, data: unknown = {}): void {
    this.ws.send(JSON.stringify({ id: f.id, op: "ok", data }));
  }

  refuse(f: Frame, code: ErrorCode, more: object = {}): void {
    this.ws.send(JSON.stringify({ id: f.id, op: "error", error: { code, detail: "refused", ...more } }));
  }

  push(op: string, data: unknown): void {
    this.ws.send(JSON.stringify({ op, data }));
  }
}

/**
 * Gateway speaks a gateway's half of the protocol and can be as unreliable as
 * a network: a real one is met in real.test.ts, but it loses too little.
 */
export class Gateway {
  readonly peers = new Set<Peer>();
  connects = 0;
  heartbeat = 60_000;
  /** Frames of all sockets but auth, in the order in which they came. */
  readonly frames: Frame[] = [];
  /** If set, may answer a frame instead; true says that it did. */
  answer: ((peer: Peer, f: Frame) => boolean) | undefined;
  /** If set, may answer a call of HTTP instead; true says that it did. */
  answerHttp: ((request: IncomingMessage, response: ServerResponse, body: string) => boolean) | undefined;
  /** If set, may refuse an upgrade; true says that it did. */
  refuse: (() => boolean) | undefined;
  /** Where it listens, or listened. */
  port = 0;
  readonly #server: Server;

  private constructor(readonly world: World) {
    const sockets = new WebSocketServer({ noServer: true });
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on("upgrade", (request, socket, head) => {
      this.connects++;
      socket.on("error", () => undefined); // a client that gave up just then
      if (this.refuse?.()) return socket.end("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\n\r\n");
      sockets.handleUpgrade(request, socket, head, (ws) => this.#accept(new Peer(ws)));
    });
  }

  /** start starts a gateway that lives as long as the test. */
  static async start(world = new World(), port = 0): Promise<Gateway> {
    const g = new Gateway(world);
    await new Promise<void>((resolve) => g.#server.listen(port, "127.0.0.1", resolve));
    g.port = (g.#server.address() as AddressInfo).port;
    onTestFinished(() => g.stop());
    return g;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** stop dies: nobody is told. */
  async stop(): Promise<void> {
    for (const peer of this.peers) peer.ws.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  closeAll(code: number): void {
    for (const peer of this.peers) peer.ws.close(code);
  }

  push(op: string, data: unknown): void {
    for (const peer of this.peers) peer.push(op, data);
  }

  /** tell stores a message and pushes it. */
  tell(room: string, text: string): void {
    this.push("message", this.world.append(room, text));
  }

  /** asked lists the frames of an op. */
  asked(op: string): Frame[] {
    return this.frames.filter((f) => f.op === op);
  }

  #accept(peer: Peer) {
    peer.ws.on("error", () => undefined);
    peer.ws.on("close", () => this.peers.delete(peer));
    peer.ws.on("message", (data) => {
      const f = JSON.parse((data as Buffer).toString()) as Frame;
      if (f.op !== "auth") this.frames.push(f);
      if (!this.answer?.(peer, f)) this.#carryOut(peer, f);
    });
  }

  #carryOut(peer: Peer, f: Frame) {
    switch (f.op) {
      case "auth":
        return this.welcome(peer, f);
      case "messages.get": {
        const page = this.world.page(f.data);
        return page ? peer.ok(f, page) : peer.refuse(f, "not_found");
      }
      case "message.send": {
        const { room_id, client_id, content } = f.data;
        const m = this.world.append(room_id, content.text, client_id, "me");
        peer.ok(f, { room_id, seq: m.seq, id: m.id, sent_at: m.sent_at, duplicate: false });
        return this.push("message", m);
      }
      default:
        return peer.ok(f);
    }
  }

  /** welcome answers an auth frame. */
  welcome(peer: Peer, f: Frame, rooms = this.world.heads()): void {
    this.world.auths.push(f.data.token);
    if (!this.world.isValid(f.data.token)) {
      peer.refuse(f, "unauthenticated");
      return peer.ws.close(this.world.ended ? 4503 : 4401);
    }
    this.peers.add(peer);
    peer.ok(f, {
      user_id: "me",
      session_id: "session",
      connection_id: "connection",
      heartbeat_ms: this.heartbeat,
      limits: { frame_bytes: 65536, text_length: 4000, page_size: 200, sends_per_second: 1e6, send_burst: 1e6 },
      rooms,
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse) {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if (this.answerHttp?.(request, response, body)) return;
    switch (`${request.method} ${request.url}`) {
      case "POST /api/v1/auth/login":
        return answer(response, 200, this.world.grant());
      case "POST /api/v1/auth/refresh": {
        const { refresh_token } = JSON.parse(body) as { refresh_token: string };
        const grant = this.world.refresh(refresh_token);
        return grant ? answer(response, 200, grant) : problem(response, 401, "unauthenticated");
      }
    }
    const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
    if (!this.world.isValid(token)) return problem(response, 401, "unauthenticated");
    switch (`${request.method} ${request.url}`) {
      case "POST /api/v1/auth/logout":
        return answer(response, 204);
      case "GET /api/v1/users/me":
        return answer(response, 200, this.world.user);
      default:
        return problem(response, 404, "not_found");
    }
  }
}

export function answer(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

export function problem(response: ServerResponse, status: number, code: ErrorCode, more: object = {}): void {
  response.writeHead(status, { "Content-Type": "application/problem+json", "Retry-After": "2" });
  response.end(JSON.stringify({ type: "", title: "", status, code, detail: "refused", request_id: "r1", ...more }));
}

/* eslint no-restricted-globals: "off" -- the SDK is given the platform's own, pointed elsewhere */
import { memorySessionStore, Parley } from "@parley-im/sdk";
import { Gateway } from "../../../sdk/src/testing/gateway";

/*
 * The SDK on a gateway in this process whose answers a test says. Used as
 *
 *   vi.mock("../store/parley", () => import("../test/parley"));
 */

const somewhere = "http://parley.test";
let base = "";

class Socket extends WebSocket {
  constructor(url: string) {
    super(url.replace(somewhere.replace("http", "ws"), base.replace("http", "ws")));
  }
}

/** What store/parley.ts has, at the gateway of the test that runs. */
export const parley = new Parley({
  urls: somewhere,
  store: memorySessionStore(),
  fetch: (input, init) => fetch((input as string).replace(somewhere, base), init),
  webSocket: Socket,
});

/** A request that came, and what it is answered. */
export interface Asked {
  /** Such as "POST /auth/login", with the query. */
  what: string;
  body: unknown;
}

type Answer = [status: number, body?: unknown, headers?: Record<string, string>];

/** Answers by what is asked; those that are missing are 404. A function sees the body. */
export type Answers = Record<string, Answer | ((body: never) => Answer)>;

/** A gateway for this test. Asked grows with every request that the answers are about. */
export async function gateway(answers: Answers): Promise<{ gateway: Gateway; asked: Asked[] }> {
  const server = await Gateway.start();
  const asked: Asked[] = [];
  base = server.url;
  server.answerHttp = (request, response, text) => {
    const what = `${request.method} ${request.url?.replace("/api/v1", "")}`;
    const answer = answers[what];
    if (!answer) return false;
    const body: unknown = text ? JSON.parse(text) : undefined;
    asked.push({ what, body });
    const [status, content, headers] = typeof answer === "function" ? answer(body as never) : answer;
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(content === undefined ? undefined : JSON.stringify(content));
    return true;
  };
  return { gateway: server, asked };
}

/** A refusal, as the API words them. */
export function refusal(code: string, field?: string, detail = "is wrong"): unknown {
  return { type: "", title: "", status: 0, code, detail, request_id: "r", errors: field ? [{ field, detail }] : [] };
}

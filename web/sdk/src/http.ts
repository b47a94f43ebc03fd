import { ParleyError } from "./error.js";
import type { Problem } from "./types.js";
import { json } from "./wellformed.js";

/** patience bounds one request, in milliseconds; it is longer than gateways wait for their services. */
const patience = 20_000;

/** One call of the HTTP API. */
export interface Call {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below /api/v1. */
  path: string;
  body?: unknown;
  /** The access token; none for open calls. */
  token?: string;
  /** Whether it may be carried out twice; so may all that are not POST. */
  repeatable?: boolean;
}

/** Http makes calls to any of several gateways. */
export class Http {
  #at = 0; // the one that answered last

  constructor(
    readonly urls: readonly string[],
    private readonly fetch: typeof globalThis.fetch,
  ) {}

  /**
   * call asks one gateway after the other until one answers. A call that can't
   * be repeated ends with the first that may have had it.
   */
  async call<T>(c: Call): Promise<T> {
    const repeatable = c.repeatable ?? c.method !== "POST";
    for (let tries = 1; ; tries++) {
      const url = this.urls[this.#at % this.urls.length] ?? "";
      try {
        return await this.#ask<T>(url, c);
      } catch (error) {
        if (error instanceof ParleyError) throw error;
        this.#at++;
        if (!repeatable || tries >= this.urls.length) {
          throw new ParleyError("unavailable", "the server can't be reached", { cause: error });
        }
      }
    }
  }

  async #ask<T>(url: string, c: Call): Promise<T> {
    const headers: Record<string, string> = {};
    if (c.token !== undefined) headers["Authorization"] = `Bearer ${c.token}`;
    if (c.body !== undefined) headers["Content-Type"] = "application/json";
    const { fetch } = this; // not as a method: a browser's own wants no other this
    const response = await fetch(`${url}/api/v1${c.path}`, {
      method: c.method,
      headers,
      body: c.body === undefined ? undefined : json(c.body),
      signal: AbortSignal.timeout(patience),
      cache: "no-store",
      credentials: "omit",
    });
    const text = await response.text();
    if (!response.ok) throw refusal(response, text);
    if (text === "" && response.status !== 200) return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new ParleyError("unavailable", "the answer is not Parley's", { status: response.status, cause });
    }
  }
}

/** refusal reads a problem; something else, of a proxy perhaps, is unavailable. */
function refusal(response: Response, text: string): ParleyError {
  let problem: Partial<Problem> = {};
  try {
    problem = JSON.parse(text) as Partial<Problem>;
  } catch {
    // not Parley's
  }
  const seconds = Number(response.headers.get("Retry-After") ?? 0);
  return new ParleyError(problem.code ?? "unavailable", problem.detail ?? `answered ${response.status}`, {
    status: response.status,
    fields: problem.errors,
    retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
    requestId: problem.request_id,
  });
}

/** query is the part of a path after "?", without what is undefined. */
export function query(parameters: object): string {
  const given = Object.entries(parameters as Record<string, unknown>).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return "?" + new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

/** baseUrls checks the gateways' URLs and cuts their last slash. */
export function baseUrls(urls: string | string[] | undefined): string[] {
  const list = [urls ?? globalThis.location?.origin ?? []].flat();
  if (list.length === 0) throw new TypeError("urls: no gateway is named");
  return list.map((raw) => {
    const url = new URL(raw);
    if (!/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
      throw new TypeError(`urls: ${url.origin} is not a plain http or https URL`);
    }
    return raw.replace(/\/+$/, "");
  });
}

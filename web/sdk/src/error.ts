import type { ErrorCode } from "./types.js";

/** What is known of a refusal beside its code and text. */
export interface Refusal {
  /** The HTTP status; none over a WebSocket or when nobody answered. */
  status?: number;
  /** The fields that are wrong, when the code is "invalid_argument". */
  fields?: { field: string; detail: string }[];
  /** Milliseconds before the same may be tried again. */
  retryAfterMs?: number;
  /** Names the request in the server's log. */
  requestId?: string;
  cause?: unknown;
}

/** ParleyError is every error that the SDK rejects with. Its code is "unavailable" when the network failed. */
export class ParleyError extends Error {
  override readonly name = "ParleyError";
  readonly status?: number;
  readonly fields: { field: string; detail: string }[];
  readonly retryAfterMs?: number;
  readonly requestId?: string;

  constructor(
    readonly code: ErrorCode,
    detail: string,
    more: Refusal = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.status = more.status;
    this.fields = more.fields ?? [];
    this.retryAfterMs = more.retryAfterMs;
    this.requestId = more.requestId;
  }

  /** Whether the same may succeed later, unchanged. */
  get temporary(): boolean {
    return this.code === "resource_exhausted" || this.code === "unavailable" || this.code === "deadline_exceeded";
  }
}

/** isCode tells whether something that was thrown is a ParleyError of that code. */
export function isCode(error: unknown, code: ErrorCode): error is ParleyError {
  return error instanceof ParleyError && error.code === code;
}

import type { Mail } from "./mail";

export const password = "correct horse battery";

/** Someone who is signed in over HTTP, without a browser. */
export interface Account {
  readonly account: string;
  readonly email: string;
  readonly userId: string;
  /** One call as this person; path is below /api/v1. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** One call of the HTTP API. */
export async function call<T>(url: string, method: string, path: string, body?: unknown, token?: string): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers["Authorization"] = `Bearer ${token}`;
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
}

let made = 0;

/** An account's name that nobody has had. */
export function fresh(name: string): string {
  made += 1;
  return `${name}_${process.pid}_${made}`;
}

/** Registers someone with a mailed code. */
export async function register(url: string, mail: Mail, name: string, nickname = name): Promise<Account> {
  const account = fresh(name);
  const email = `${account}@example.org`;
  await call(url, "POST", "/auth/codes", { email, purpose: "register" });
  const code = await mail.code(email);
  const tokens = await call<{ access_token: string; user: { id: string } }>(url, "POST", "/auth/register", {
    email,
    code,
    account,
    password,
    nickname,
  });
  return {
    account,
    email,
    userId: tokens.user.id,
    call: (method, path, body) => call(url, method, path, body, tokens.access_token),
  };
}

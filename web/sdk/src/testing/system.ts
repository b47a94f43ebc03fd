import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { memorySessionStore, Parley, type Session } from "../index.js";
import { eventually, webSocket } from "./visitor.js";

/** Where the program is; without it nothing real is met. */
export const program = process.env["PARLEY_BIN"];

/** Part is some of Parley as a process, which can be killed and started again. */
export class Part {
  log = "";
  #child: ChildProcess | undefined;

  constructor(private readonly args: string[]) {
    onTestFinished(() => this.kill());
  }

  async start(): Promise<void> {
    this.log = "";
    const child = spawn(program ?? "", this.args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const out of [child.stdout, child.stderr]) out.on("data", (chunk) => (this.log += String(chunk)));
    await eventually(`it is ready: ${this.args.join(" ")}`, () => {
      if (child.exitCode !== null) throw new Error(this.log);
      return /^ready/m.test(this.log);
    });
  }

  /** kill ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}

/** system starts Parley: a gateway, and all that is behind it. */
export async function system() {
  const data = await mkdtemp(join(tmpdir(), "parley-sdk-"));
  onTestFinished(() => rm(data, { recursive: true, force: true }));
  const [nats, redis, web, ops1, ops2] = await freePorts(5);
  const part = (only: string, ops?: string, ...more: string[]) =>
    new Part([
      "-only",
      only,
      "-data",
      data,
      "-nats-addr",
      nats ?? "",
      "-redis-addr",
      redis ?? "",
      "-ops-addr",
      ops ?? "",
      ...more,
    ]);
  const behind = part("nats,redis,auth,social,chat", ops1);
  const gateway = part("gateway", ops2, "-addr", web ?? "");
  await behind.start();
  await gateway.start();
  return { behind, gateway, url: `http://${web}` };
}

export type System = Awaited<ReturnType<typeof system>>;

/** register makes an account with the code that the log shows, and logs in. */
export async function register({ url, behind }: System, account: string): Promise<Session> {
  const parley = new Parley({ urls: url, store: memorySessionStore(), webSocket });
  const codes = () => [...behind.log.matchAll(/verification code\b.*?\b(\d{6})\b/g)].map((m) => m[1] ?? "");
  const before = codes().length;
  const email = `${account}@example.org`;
  await parley.requestCode(email, "register");
  await eventually("a code is there", () => codes().length > before);
  const password = "correct horse battery";
  await parley.register({ email, code: codes().at(-1) ?? "", account, password });
  return parley.login({ account, password });
}

/** freePorts are below those that kernels give to outgoing connections, which might take one of a process that is down. */
async function freePorts(n: number): Promise<string[]> {
  const found = new Set<string>();
  while (found.size < n) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) found.add(`127.0.0.1:${port}`);
  }
  return [...found];
}

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

const startWithin = 60_000;
const stopWithin = 20_000;
const keptLog = 64 << 10;

/** One part of Parley as a process of its own. */
export class Process {
  private child: ChildProcess | null = null;
  private log = "";

  constructor(
    readonly name: string,
    private readonly args: string[],
    private readonly env: Record<string, string> = {},
  ) {}

  /** Resolves when the process says that it is ready. */
  async start(): Promise<void> {
    const child = spawn(program(), this.args, {
      env: { ...process.env, ...this.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(this.failed("is not ready")), startWithin);
      const read = (chunk: Buffer) => {
        this.log = (this.log + chunk.toString()).slice(-keptLog);
        if (!/^ready/m.test(this.log)) return;
        clearTimeout(timer);
        resolve();
      };
      this.log = "";
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("error", reject);
      child.once("exit", () => reject(this.failed("ended before it was ready")));
    });
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Asks the process to end, as an operator would. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  /** The last that the process wrote. */
  written(): string {
    return this.log;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), stopWithin);
    await ended;
    clearTimeout(timer);
  }

  private failed(what: string): Error {
    return new Error(`${this.name} ${what}:\n${this.log}`);
  }
}

function program(): string {
  const path = process.env.PARLEY_BIN;
  if (!path) throw new Error("PARLEY_BIN names no program; make webtest sets it");
  return path;
}

// Whoever ends the tests ends what they have started.
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

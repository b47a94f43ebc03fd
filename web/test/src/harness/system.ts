import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Mail } from "./mail";
import { freePort } from "./port";
import { Process } from "./process";

/** A gateway, which can be killed and started again at the same address. */
export interface Gateway {
  readonly url: string;
  readonly process: Process;
}

/**
 * Parley on loopback as real processes: NATS and Redis, two replicas of each
 * service, two gateways, and a mailbox for what it sends.
 */
export class System {
  readonly gateways: Gateway[] = [];
  private readonly others: Process[] = [];

  private constructor(
    private readonly data: string,
    readonly mail: Mail,
  ) {}

  /** Env are settings of all processes. */
  static async start(env: Record<string, string> = {}): Promise<System> {
    const system = new System(await mkdtemp(join(tmpdir(), "parley-web-")), await Mail.start());
    try {
      await system.run(env);
      return system;
    } catch (error) {
      await system.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.gateways.map((g) => g.process.kill()));
    await Promise.all(this.others.map((p) => p.kill()));
    await this.mail.close();
    await rm(this.data, { recursive: true, force: true });
  }

  private async run(env: Record<string, string>): Promise<void> {
    const [nats, redis] = [await freePort(), await freePort()];
    const part = async (name: string, only: string, ...extra: string[]) => {
      const ops = await freePort();
      const args = ["-only", only, "-data", this.data, "-nats-addr", at(nats), "-redis-addr", at(redis)];
      const settings = { AUTH_CODES_PER_MINUTE: "100", ...env, SMTP_URL: this.mail.url };
      return new Process(name, [...args, "-ops-addr", at(ops), ...extra], settings);
    };
    const servers = await part("servers", "nats,redis");
    this.others.push(servers);
    await servers.start();
    for (const name of ["services-1", "services-2"]) this.others.push(await part(name, "auth,social,chat"));
    for (const name of ["gateway-1", "gateway-2"]) {
      const port = await freePort();
      const process = await part(name, "gateway", "-addr", at(port));
      this.gateways.push({ url: `http://${at(port)}`, process });
    }
    const rest = [...this.others.slice(1), ...this.gateways.map((g) => g.process)];
    await Promise.all(rest.map((p) => p.start()));
  }
}

const at = (port: number) => `127.0.0.1:${port}`;

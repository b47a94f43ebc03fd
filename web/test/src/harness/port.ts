import { createServer } from "node:net";

// Below those that kernels give to outgoing connections: while a process is
// down, one of these could take its port, and it could not start again.
// Two files of tests run at once: each takes its half.
const half = 8500;
const first = 15000 + (Number(process.env.VITEST_POOL_ID ?? 1) % 2) * half;
const given = new Set<number>();

/** A port of loopback that was free a moment ago, and is given to nobody else here. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * half);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

import { createServer } from "node:net";

// Below those that kernels give to outgoing connections: while a process is
// down, one of these could take its port, and it could not start again.
const first = 15000;
const last = 32000;
const given = new Set<number>();

/** A port of loopback that was free a moment ago, and is given to nobody else here. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * (last - first));
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

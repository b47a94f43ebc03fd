import { readFile } from "node:fs/promises";
import { transformWithOxc } from "vite";
import { expect, test, vi } from "vitest";
import * as sdk from "./index.js";
import { answer, Gateway } from "./testing/gateway.js";
import { eventually, webSocket } from "./testing/visitor.js";

test("the README's chat runs", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(code.trim().split("\n").length).toBeLessThanOrEqual(10);
  const g = await Gateway.start();
  g.world.append("r", "before");
  g.answerHttp = (request, response) => {
    if (!request.url?.startsWith("/api/v1/rooms")) return false;
    answer(response, 200, { items: [g.world.describe("r")], next_cursor: "" });
    return true;
  };
  // What the platform has in a browser, and where the gateway is here.
  class Parley extends sdk.Parley {
    constructor(o: sdk.ParleyOptions) {
      super({ ...o, urls: o.urls && g.url, webSocket, store: sdk.memorySessionStore() });
    }
  }
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const body = (await transformWithOxc(code, "readme.ts")).code.replace(/^import .*$/m, "");
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the README is our own
  const run = new Function("Parley", `return (async () => {${body}; return connection; })()`) as (
    parley: typeof Parley,
  ) => Promise<sdk.Connection>;
  const connection = await run(Parley);
  await eventually("its message is told", () => log.mock.calls.length > 0);
  expect(log.mock.calls).toEqual([["me", "hello"]]);
  log.mockRestore();
  connection.close();
});

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, defaultClientConditions, type Rolldown } from "vite";
import { expect, test } from "vitest";

test("the whole SDK is under 12 KB compressed", async () => {
  const entry = fileURLToPath(new URL("index.ts", import.meta.url));
  const built = (await build({
    configFile: false,
    logLevel: "silent",
    resolve: { conditions: ["parley-source", ...defaultClientConditions] },
    build: { write: false, lib: { entry, formats: ["es"] } },
  })) as Rolldown.RolldownOutput[];
  const size = gzipSync(built[0]?.output[0].code ?? "").length;
  expect(size).toBeGreaterThan(1000);
  expect(size).toBeLessThan(12 * 1024);
});

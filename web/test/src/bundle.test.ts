import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { report } from "./harness/report";

const dist = join(import.meta.dirname, "../../../services/gateway/web/dist");

/** What all of the client may weigh, in bytes as they travel: with Brotli, which browsers take over TLS and from loopback, and with gzip. */
for (const [encoding, suffix, most] of [
  ["Brotli", ".br", 180_000],
  ["gzip", ".gz", 200 << 10],
] as const) {
  test(`the whole client is under ${most} bytes with ${encoding}`, () => {
    const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((f) => /\.\w+$/.test(f));
    const sizes = files
      .filter((f) => !/\.(br|gz)$/.test(f))
      .map((f) => statSync(join(dist, files.includes(f + suffix) ? f + suffix : f)).size);
    const sum = sizes.reduce((a, b) => a + b, 0);
    expect(files.some((f) => f.startsWith("assets") && f.endsWith(`.js${suffix}`))).toBe(true);
    report(`all files with ${encoding}: ${(sum / 1000).toFixed(1)} KB`);
    expect(sum).toBeLessThan(most);
  });
}

import { expect, test } from "vitest";
import { report } from "./harness/report";
import { stage } from "./harness/stage";

const s = stage();

// Lighthouse's slow 4G: https://github.com/GoogleChrome/lighthouse/blob/main/docs/throttling.md
const link = { latency: 150, downloadThroughput: (1.6 * 1024 * 1024) / 8, uploadThroughput: (750 * 1024) / 8 };

test("the page draws something, then itself, over a slow connection", async () => {
  const person = await s.visitor("Ann", 0);
  const cdp = await person.context.newCDPSession(person.page);
  await cdp.send("Network.enable");
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  await cdp.send("Network.emulateNetworkConditions", { offline: false, ...link });
  await person.page.reload();
  await person.button("Log in").waitFor();
  const { paint, ready, bytes } = await person.page.evaluate(() => {
    const files = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
    return {
      paint: performance.getEntriesByName("first-contentful-paint")[0]!.startTime,
      ready: performance.now(),
      bytes: files.reduce((sum, f) => sum + f.transferSize, 0),
    };
  });
  report(
    `first contentful paint at 1.6 Mbit/s and 150 ms: ${paint.toFixed(0)} ms; log-in form: ${ready.toFixed(0)} ms`,
  );
  expect(bytes).toBeGreaterThan(10_000); // nothing came from the cache
});

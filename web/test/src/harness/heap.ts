import type { CDPSession } from "playwright-core";

/** What the page holds after garbage was collected, in bytes. */
export async function heap(cdp: CDPSession): Promise<number> {
  await cdp.send("HeapProfiler.collectGarbage");
  const { usedSize } = await cdp.send("Runtime.getHeapUsage");
  return usedSize;
}

export const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

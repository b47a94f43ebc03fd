import type { Page } from "playwright-core";

/** What was seen in all frames since the watch began. */
export interface Watched {
  /** The messages' texts that came into view. */
  met: string[];
  /** The farthest that a message has moved up between two frames, in pixels. */
  jump: number;
}

/** The messages' texts that are in view, from the top to the bottom; after watch. */
export function visible(page: Page): Promise<string[]> {
  return page.evaluate(() => [...(window as unknown as { lines: () => Map<string, number> }).lines().keys()]);
}

/** Watches each frame from now on while someone scrolls back, where messages only ever move down. */
export async function watch(page: Page): Promise<() => Promise<Watched>> {
  await page.evaluate(() => {
    /** The texts in view, with their places. */
    const lines = () => {
      const found = new Map<string, number>();
      for (const article of document.querySelectorAll<HTMLElement>("article")) {
        const { top, bottom } = article.getBoundingClientRect();
        if (bottom <= 0 || top >= innerHeight) continue;
        const line = article.innerText.split("\n").find((text) => /^(message|that was) \d+$/.test(text));
        if (line) found.set(line, top);
      }
      return found;
    };
    const met = new Set<string>();
    const watched = { met, jump: 0 };
    let before = new Map<string, number>();
    const look = () => {
      const now = lines();
      for (const [line, top] of now) {
        met.add(line);
        watched.jump = Math.max(watched.jump, (before.get(line) ?? top) - top);
      }
      before = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    Object.assign(window, { lines, watched });
  });
  return () =>
    page.evaluate(() => {
      const { met, jump } = (window as unknown as { watched: { met: Set<string>; jump: number } }).watched;
      return { met: [...met], jump };
    });
}

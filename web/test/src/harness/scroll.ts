import type { Page } from "playwright-core";

/** What is in view of a chat. */
export interface View {
  /** The messages' texts from the top to the bottom. */
  texts: string[];
  /** No part of it waits for its messages to be drawn. */
  whole: boolean;
}

/** What was seen in all frames since the watch began. */
export interface Watched {
  /** The messages' texts that came into view. */
  met: string[];
  /** The farthest that a message has moved up between two frames, in pixels. */
  jump: number;
  frames: number;
  /** Frames of which a part waited for its messages. */
  blank: number;
}

interface Watcher {
  view(): View;
  watched: { met: Set<string>; jump: number; frames: number; blank: number };
}

/** Watches each frame from now on while someone scrolls back, where messages only ever move down. */
export async function watch(page: Page): Promise<() => Promise<Watched>> {
  await page.evaluate(begin);
  return () =>
    page.evaluate(() => {
      const { watched } = window as unknown as Watcher;
      return { ...watched, met: [...watched.met] };
    });
}

/** What is in view now; after watch. */
export function view(page: Page): Promise<View> {
  return page.evaluate(() => (window as unknown as Watcher).view());
}

// Runs in the page.
function begin(): void {
  const log = document.querySelector<HTMLElement>('[role="log"][aria-label="Messages"]')!;
  /** More than what stands between two messages, in pixels. */
  const space = 80;
  const look = () => {
    const { top, bottom } = log.getBoundingClientRect();
    const places = new Map<string, number>();
    let [first, last] = [bottom, top];
    for (const article of log.querySelectorAll<HTMLElement>("article")) {
      const box = article.getBoundingClientRect();
      const line = article.innerText.split("\n").find((text) => /^(message|that was) \d+$/.test(text));
      if (!line || box.bottom <= top || box.top >= bottom) continue;
      places.set(line, box.top);
      [first, last] = [Math.min(first, box.top), Math.max(last, box.bottom)];
    }
    const whole = (first < top + space || log.scrollTop < space) && last > bottom - space;
    return { places, whole };
  };
  const watched: Watcher["watched"] = { met: new Set(), jump: 0, frames: 0, blank: 0 };
  let before = new Map<string, number>();
  const frame = () => {
    const { places, whole } = look();
    for (const [line, top] of places) {
      watched.met.add(line);
      watched.jump = Math.max(watched.jump, (before.get(line) ?? top) - top);
    }
    watched.frames += 1;
    watched.blank += whole ? 0 : 1;
    before = places;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const view = () => {
    const { places, whole } = look();
    return { texts: [...places.keys()], whole };
  };
  Object.assign(window, { view, watched });
}

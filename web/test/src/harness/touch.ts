import type { Page } from "playwright-core";

/** As wide and as high, in CSS pixels, is what a finger can press without missing. */
const finger = 44;

/** What is there to be pressed, and is too small for it. Links within a line of text are as high as that, and don't count. */
export function tooSmall(page: Page): Promise<string[]> {
  return page.evaluate((least) => {
    // What is pressed may be larger than what is seen: by a pseudo-element around it.
    const around = (element: Element) => {
      const { position, top, bottom, left, right, content } = getComputedStyle(element, "::after");
      if (content === "none" || position !== "absolute") return [0, 0];
      return [-(parseFloat(left) + parseFloat(right)), -(parseFloat(top) + parseFloat(bottom))];
    };
    const found: string[] = [];
    for (const element of document.querySelectorAll("a[href], button, [role=button], [role=menuitem], label, input")) {
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      const hidden = box.width <= 1 || style.visibility === "hidden" || style.pointerEvents === "none";
      const within = element.closest("[class*=hidden-text], [class*=skip]") ?? element.closest("article");
      // A field in a frame, and a label above one, are no more than a part of what is pressed.
      const part = element.matches("input, label:not([data-rac])") || element.closest("label label") !== null;
      if (hidden || within || part) continue;
      const [x, y] = around(element);
      const [width, height] = [box.width + x!, box.height + y!];
      if (Math.min(width, height) < least - 0.5) {
        const name = element.getAttribute("aria-label") ?? element.textContent;
        found.push(`${name} is ${Math.round(width)} by ${Math.round(height)} px`);
      }
    }
    return found;
  }, finger);
}

/** How many colours an avatar may have; Avatar.module.css names as many. */
export const colours = 8;

const han = /^\p{Script=Han}+$/u;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The one or two characters that stand for a name: "Ann Lee" AL, "ann" A, "王小明" 小明, "🐼" 🐼. */
export function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter(Boolean);
  const first = words[0];
  if (!first) return "?";
  // Of a Chinese name the given name, the last two characters, is what one is called.
  if (words.length === 1 && han.test(first)) return [...first].slice(-2).join("");
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return (head(first) + (last ? head(last) : "")).toLocaleUpperCase();
}

/** The first character as people count them, so that no emoji is torn. */
function head(word: string): string {
  for (const { segment } of graphemes.segment(word)) return segment;
  return "";
}

/** The colour of an id, 0 to colours-1: the same on every device, for ever (FNV-1a). */
export function colourOf(id: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 0x01000193) >>> 0;
  return h % colours;
}

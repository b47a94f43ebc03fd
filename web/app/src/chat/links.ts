/** A piece of a text: plain, or an address that may be followed. */
export interface Token {
  text: string;
  /** Only http and https. */
  href?: string;
}

// An address ends at a space, at markup's brackets and quotes, and at punctuation of Chinese text.
const address =
  /(?:\bhttps?:\/\/|(?<![\w@./-])www\.(?=[^\s.]+\.\w))[^\s<>"'`\u3000-\u303f\uff00-\uffef\u2018-\u201f]+/giu;
const closing: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

/** Cuts a text into plain pieces and addresses. Joined, the pieces are the text again. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let from = 0;
  for (const match of text.matchAll(address)) {
    const shown = trimmed(match[0]);
    const href = safe(shown);
    if (href === null) {
      continue;
    }
    if (match.index > from) {
      found.push({ text: text.slice(from, match.index) });
    }
    found.push({ text: shown, href });
    from = match.index + shown.length;
  }
  if (from < text.length) {
    found.push({ text: text.slice(from) });
  }
  return found;
}

// Punctuation at the end belongs to the sentence, and so does a bracket that the address did not open.
function trimmed(url: string): string {
  const excess = excessOf(url);
  let end = url.length;
  for (; end > 0; end--) {
    const last = url[end - 1]!;
    if (closing[last] && (excess[last] ?? 0) > 0) {
      excess[last]!--;
    } else if (!".,;:!?*_~".includes(last)) {
      break;
    }
  }
  return url.slice(0, end);
}

// How many more brackets of each kind are closed than opened.
function excessOf(url: string): Record<string, number> {
  const excess: Record<string, number> = {};
  for (const [close, open] of Object.entries(closing)) {
    excess[close] = url.split(close).length - url.split(open).length;
  }
  return excess;
}

function safe(url: string): string | null {
  try {
    const { protocol, hostname, href } = new URL(/^www\./i.test(url) ? `https://${url}` : url);
    return (protocol === "http:" || protocol === "https:") && hostname !== "" ? href : null;
  } catch {
    return null;
  }
}

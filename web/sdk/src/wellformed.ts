/** wellFormed replaces each half of a surrogate pair, such as a cut emoji leaves, by U+FFFD: servers refuse it. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, "\ufffd");
}

/** json encodes a value; every string in it is well-formed. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === "string" ? wellFormed(v) : v));
}

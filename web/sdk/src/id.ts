const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's base 32

/**
 * newId makes a client_id: a ULID in lower case. It sorts by the time it was
 * made, which costs the server's store less than one of chance alone.
 */
export function newId(now = Date.now()): string {
  let time = "";
  for (let rest = now; time.length < 10; rest = Math.floor(rest / 32)) time = alphabet.charAt(rest % 32) + time;
  const chance = crypto.getRandomValues(new Uint8Array(16));
  return time + Array.from(chance, (byte) => alphabet.charAt(byte % 32)).join("");
}

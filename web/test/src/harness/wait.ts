const poll = 20;

type Truthy<T> = Exclude<T, false | null | undefined | 0 | "">;

/** Waits until the condition gives something true, and returns that. */
export async function until<T>(what: string, condition: () => T | Promise<T>, within = 30_000): Promise<Truthy<T>> {
  for (const deadline = Date.now() + within; Date.now() < deadline;) {
    const value = await condition();
    if (value) return value as Truthy<T>;
    await new Promise((resolve) => setTimeout(resolve, poll));
  }
  throw new Error(`${what}: not within ${within} ms`);
}

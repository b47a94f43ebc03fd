/** What of the Web Locks API is used. */
type Locks = Pick<LockManager, "request">;

/** locks are there in browsers, on pages that came by https or from this machine. */
export function locks(): Locks | undefined {
  return (globalThis.navigator as { locks?: Locks } | undefined)?.locks;
}

const inProcess = new Map<string, Promise<unknown>>();

/**
 * exclusively runs f while nobody else does under that name: no other tab
 * where there are Web Locks, and the browser allows them; else nobody in this
 * one.
 */
export async function exclusively<T>(name: string, f: () => Promise<T>): Promise<T> {
  const shared = locks();
  if (shared) {
    let begun = false;
    try {
      return await shared.request(name, () => {
        begun = true;
        return f();
      });
    } catch (error) {
      if (begun) throw error; // f's own; else locks are forbidden here, as storage may be
    }
  }
  const before = inProcess.get(name);
  const turn = (async () => {
    await before?.catch(() => undefined);
    return f();
  })();
  inProcess.set(name, turn);
  try {
    return await turn;
  } finally {
    if (inProcess.get(name) === turn) inProcess.delete(name);
  }
}

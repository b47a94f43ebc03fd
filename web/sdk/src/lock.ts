/** What of the Web Locks API is used. */
type Locks = Pick<LockManager, "request">;

/** locks are there in browsers, on pages that came by https or from this machine. */
export function locks(): Locks | undefined {
  return (globalThis.navigator as { locks?: Locks } | undefined)?.locks;
}

const inProcess = new Map<string, Promise<unknown>>();

/**
 * exclusively runs f while nobody else does under that name: no other tab
 * where there are Web Locks, else nobody in this one.
 */
export async function exclusively<T>(name: string, f: () => Promise<T>): Promise<T> {
  const shared = locks();
  if (shared) return shared.request(name, f);
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

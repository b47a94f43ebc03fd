interface Options {
  signal?: AbortSignal;
  ifAvailable?: boolean;
}

type Act = (lock: object | null) => Promise<unknown>;

/** locks is as much of the Web Locks API as is used. */
export function locks() {
  const queues = new Map<string, Promise<unknown>>();
  const held = new Map<string, number>(); // and waited for
  return {
    async request(name: string, options: Options | Act, f?: Act): Promise<unknown> {
      const act = f ?? (options as Act);
      const { signal, ifAvailable } = f ? (options as Options) : {};
      await new Promise((resolve) => setTimeout(resolve)); // another process is asked
      if (ifAvailable && held.get(name)) return act(null);
      held.set(name, (held.get(name) ?? 0) + 1);
      const before = queues.get(name);
      const turn = (async () => {
        await before?.catch(() => undefined);
        if (signal?.aborted) throw new Error("aborted");
        return act({});
      })();
      queues.set(name, turn);
      return turn.finally(() => held.set(name, (held.get(name) ?? 0) - 1));
    },
  };
}

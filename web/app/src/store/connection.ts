import type { Connection, ConnectionState } from "@parley-im/sdk";
import { create } from "zustand";

interface ConnectionStoreState {
  connection: Connection | null;
  state: ConnectionState;
}

export const useConnection = create<ConnectionStoreState>(() => ({ connection: null, state: "connecting" }));

/** The connection, where there must be one: in what only signed-in people see. */
export function currentConnection(): Connection {
  const { connection } = useConnection.getState();
  if (!connection) {
    throw new Error("there is no connection");
  }
  return connection;
}

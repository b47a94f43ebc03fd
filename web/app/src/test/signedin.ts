import { memoryCursors, memoryOutbox, type Friend, type Profile } from "@parley-im/sdk";
import { onTestFinished } from "vitest";
import { useConnection } from "../store/connection";
import { forgetPeople } from "../store/people";
import { forgetRooms } from "../store/rooms";
import { beginSession, useSession } from "../store/session";
import { gateway, parley, type Answers, type Asked } from "./parley";
import type { Gateway } from "../../../sdk/src/testing/gateway";

/** Ann, who is "me", signed in and connected to a gateway that answers so. */
export async function signedIn(answers: Answers): Promise<{ gateway: Gateway; asked: Asked[] }> {
  const { gateway: server, asked } = await gateway(answers);
  const session = await parley.login({ account: "ann", password: "correct horse" });
  beginSession(session);
  const connection = session.connect({ outbox: memoryOutbox(), cursors: memoryCursors() });
  useConnection.setState({ connection, state: connection.state });
  const ready = new Promise<void>((resolve) => connection.on("ready", () => resolve()));
  onTestFinished(() => {
    connection.close();
    useConnection.setState({ connection: null, state: "connecting" });
    useSession.setState({ status: "out", session: null, user: null, ended: null });
    forgetRooms();
    forgetPeople();
  });
  await ready;
  return { gateway: server, asked };
}

export function profile(id: string, nickname = id): Profile {
  return { id, account: id, nickname, sex: 0, avatar_url: "", is_friend: true };
}

export function friend(id: string, nickname = id): Friend {
  return { user: profile(id, nickname), room_id: `room-${id}`, since: "2026-01-02T03:04:05.678Z" };
}

import { register, type Account } from "./api";
import type { System } from "./system";

/** Two friends over HTTP, and the room that they share. */
export async function friends(system: System, a: string, b: string): Promise<{ a: Account; b: Account; room: string }> {
  const url = system.gateways[0]!.url;
  const [one, two] = await Promise.all([register(url, system.mail, a), register(url, system.mail, b)]);
  return { a: one, b: two, room: await befriend(one, two) };
}

/** Makes friends of two over HTTP, and gives the room that they share. */
export async function befriend(one: Account, two: Account): Promise<string> {
  const friend = await one.call<{ room_id: string }>("POST", "/friends", { account: two.account });
  return friend.room_id;
}

let sent = 0;

/** Sends one text to a room over HTTP. */
export async function post(from: Account, room: string, text: string): Promise<void> {
  sent += 1;
  const body = { client_id: `crowd-${sent}`, type: "text", content: { text } };
  await from.call("POST", `/rooms/${room}/messages`, body);
}

/** Sends the texts to a room over HTTP, many at once; they come in any order. */
export async function flood(from: Account, room: string, texts: readonly string[], atOnce = 32): Promise<void> {
  const rest = [...texts];
  const worker = async () => {
    for (let text = rest.shift(); text !== undefined; text = rest.shift()) await post(from, room, text);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** All texts of a room in their order. */
export async function texts(as: Account, room: string): Promise<string[]> {
  const all: string[] = [];
  for (let after = 0; ;) {
    const page = await as.call<{ items: { seq: number; content: { text: string } }[] }>(
      "GET",
      `/rooms/${room}/messages?after_seq=${after}&limit=100`,
    );
    if (page.items.length === 0) return all;
    all.push(...page.items.map((m) => m.content.text));
    after = page.items.at(-1)!.seq;
  }
}

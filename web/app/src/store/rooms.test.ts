import { expect, test, vi } from "vitest";
import { room } from "../test/made";
import { signedIn } from "../test/signedin";
import { dropRoom, loadMoreRooms, readRoom, refreshRooms, takeRooms, useRooms } from "./rooms";

vi.mock("./parley", () => import("../test/parley"));

const known = () => Object.keys(useRooms.getState().book.rooms);

test("a room that goes while it is read stays away", async () => {
  await signedIn({
    "GET /rooms?limit=50": [200, { items: [room("r"), room("s")], next_cursor: "" }],
    "GET /rooms/r": [200, room("r")],
  });
  await loadMoreRooms();
  for (const read of [refreshRooms, () => readRoom("r")]) {
    takeRooms([room("r")]);
    const reading = read();
    dropRoom("r");
    await reading;
    expect(known()).toEqual(["s"]);
  }
  await readRoom("r");
  expect(known().sort()).toEqual(["r", "s"]); // it is back
});

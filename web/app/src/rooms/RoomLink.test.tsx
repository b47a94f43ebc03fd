import type { Outgoing } from "@parley-im/sdk";
import { render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { forgetMessages, useMessages } from "../store/messages";
import { RoomLink } from "./RoomLink";

afterEach(forgetMessages);

test("a message that waits to be sent is the chat's preview", () => {
  const at = "2026-01-02T03:04:05.678Z";
  const waiting: Outgoing = { client_id: "c", room_id: "r", text: "wait for me", created_at: at, status: "sending" };
  useMessages.setState({ outgoing: { r: [waiting] } });
  const room = {
    id: "r",
    type: "group",
    name: "Tea",
    role: "member",
    closed: false,
    member_count: 2,
    first_seq: 1,
    last_seq: 0,
    read_seq: 0,
    unread: 0,
    created_at: at,
  } as const;
  render(<RoomLink room={room} open={false} entry onFocus={() => undefined} />);
  expect(screen.getByRole("link").textContent).toContain("wait for me");
});

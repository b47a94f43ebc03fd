import { beforeEach, expect, test } from "vitest";
import { forgetDrafts, openDrafts, setDraft, useDrafts } from "./drafts";

beforeEach(() => {
  localStorage.clear();
  openDrafts("ann");
});

test("what was begun is there at the next visit, room by room", () => {
  setDraft("r", "half");
  setDraft("s", "other");
  setDraft("s", "");
  useDrafts.setState({}, true);
  openDrafts("ann");
  expect(useDrafts.getState()).toEqual({ r: "half" });
});

test("nobody else finds it on this device", () => {
  setDraft("r", "half");
  openDrafts("bob");
  expect(useDrafts.getState()).toEqual({});
});

test("signing out leaves nothing behind", () => {
  setDraft("r", "half");
  forgetDrafts();
  expect(JSON.stringify({ ...localStorage })).not.toContain("half");
});

test("storage that was written by someone else does no harm", () => {
  localStorage.setItem("parley.drafts", "[");
  openDrafts("ann");
  expect(useDrafts.getState()).toEqual({});
});

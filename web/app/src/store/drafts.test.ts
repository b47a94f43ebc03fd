import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { forgetDrafts, openDrafts, setDraft, useDrafts } from "./drafts";

beforeEach(() => {
  localStorage.clear();
  openDrafts("ann");
});

/** What another tab does to this browser's storage, and the event that tells of it. */
function elsewhere(change: () => void): void {
  const before = { ...localStorage } as Record<string, string>;
  change();
  for (const key of new Set([...Object.keys(before), ...Object.keys(localStorage)])) {
    const [oldValue, newValue] = [before[key] ?? null, localStorage.getItem(key)];
    if (oldValue !== newValue) {
      window.dispatchEvent(new StorageEvent("storage", { key, oldValue, newValue }));
    }
  }
}

/** The drafts of a module of its own, as another tab has it. */
async function otherTab() {
  vi.resetModules();
  const tab = await import("./drafts");
  tab.openDrafts("ann");
  return tab;
}

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
  expect(JSON.stringify({ ...localStorage })).not.toContain("half");
});

test("signing out leaves nothing behind", () => {
  setDraft("r", "half");
  localStorage.setItem("parley.drafts", "half, of an older version");
  forgetDrafts();
  expect(JSON.stringify({ ...localStorage })).not.toContain("half");
});

test("two tabs do not overwrite each other's drafts", async () => {
  const other = await otherTab();
  setDraft("r", "mine");
  other.setDraft("s", "theirs");
  openDrafts("ann");
  expect(useDrafts.getState()).toEqual({ r: "mine", s: "theirs" });
});

test("a draft follows what another tab makes of it", () => {
  elsewhere(() => localStorage.setItem("parley.drafts.ann.r", "half"));
  expect(useDrafts.getState()).toEqual({ r: "half" });
  elsewhere(() => localStorage.removeItem("parley.drafts.ann.r"));
  expect(useDrafts.getState()).toEqual({});
  elsewhere(() => localStorage.setItem("parley.drafts.bob.r", "not ann's"));
  expect(useDrafts.getState()).toEqual({});
});

test("what was typed here meanwhile stays when another tab sends its draft", () => {
  elsewhere(() => localStorage.setItem("parley.drafts.ann.r", "half"));
  useDrafts.setState({ r: "half and more" }, true);
  elsewhere(() => localStorage.removeItem("parley.drafts.ann.r"));
  expect(useDrafts.getState()).toEqual({ r: "half and more" });
});

test("storage that is full or blocked does not break typing", () => {
  const refuse = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  const spies = (["setItem", "getItem", "removeItem"] as const).map((name) =>
    vi.spyOn(Storage.prototype, name).mockImplementation(refuse),
  );
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  setDraft("r", "half");
  expect(useDrafts.getState()).toEqual({ r: "half" });
  setDraft("r", "");
  expect(useDrafts.getState()).toEqual({});
  openDrafts("ann");
  forgetDrafts();
});

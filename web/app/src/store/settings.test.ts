import { beforeEach, expect, test } from "vitest";
import { changeSettings, useSettings } from "./settings";

beforeEach(() => localStorage.clear());

test("a change keeps what another tab has just changed, before this one heard of it", () => {
  changeSettings({ theme: "light" });
  const kept = JSON.parse(localStorage.getItem("parley.settings")!) as object;
  localStorage.setItem("parley.settings", JSON.stringify({ ...kept, theme: "dark" }));
  changeSettings({ notifications: true });
  const both = { theme: "dark", notifications: true };
  expect(useSettings.getState()).toMatchObject(both);
  expect(JSON.parse(localStorage.getItem("parley.settings")!)).toMatchObject(both);
});

test("settings that can't be read do no harm", () => {
  changeSettings({ theme: "dark" });
  localStorage.setItem("parley.settings", "[");
  changeSettings({ notifications: false });
  expect(useSettings.getState()).toMatchObject({ theme: "dark", notifications: false });
});

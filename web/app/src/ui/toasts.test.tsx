import { act, render, screen } from "@testing-library/react";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { changeLanguage } from "../i18n";
import { navigate } from "../shell/route";
import { ToastList } from "./ToastList";
import { toast, useToasts } from "./toasts";

beforeEach(() => {
  useToasts.setState({ list: [] });
  navigate(["friends"], { replace: true });
});

const shown = () => screen.getByRole("status").textContent;

test("a toast follows the language", () => {
  onTestFinished(() => changeLanguage("en"));
  render(<ToastList />);
  act(() => toast("friends.added", { name: "Bob" }));
  expect(shown()).toContain("is now your friend.");
  act(() => changeLanguage("zh"));
  expect(shown()).toContain("已成为您的好友。");
});

test("a toast goes with the place it was shown at; that of the act which went there stays", () => {
  render(<ToastList />);
  act(() => toast("profile.saved"));
  act(() => {
    navigate(["rooms", "r"], { replace: true });
    toast("friends.added", { name: "Bob" });
  });
  expect(shown()).toContain("is now your friend.");
  expect(shown()).not.toContain("Your profile is saved.");
  act(() => navigate(["rooms"], { replace: true }));
  expect(shown()).toBe("");
});

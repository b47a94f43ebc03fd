import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, onTestFinished, test, vi } from "vitest";
import { useDrafts } from "../store/drafts";
import { useMessages } from "../store/messages";
import { useSession } from "../store/session";
import { changeSettings, keepSettings, useSettings } from "../store/settings";
import "../test/layout";
import { outgoing } from "../test/made";
import { refusal } from "../test/parley";
import { signedIn } from "../test/signedin";
import { Devices } from "./Devices";
import { PasswordPane } from "./PasswordPane";
import { Preferences } from "./Preferences";
import { ProfilePane } from "./ProfilePane";
import { SettingsList } from "./SettingsList";

vi.mock("../store/parley", () => import("../test/parley"));

const user = userEvent.setup({ delay: null });
const field = (name: string) => screen.getByLabelText<HTMLInputElement>(name, { selector: "input" });

test("a profile is changed; its initials follow as one types", async () => {
  const ann = { id: "me", account: "ann", email: "ann@example.org", avatar_url: "", created_at: "" };
  const { asked } = await signedIn({
    "GET /users/me": [200, { ...ann, nickname: "Ann", sex: 0 }],
    "PATCH /users/me": [200, { ...ann, nickname: "Bea Cole", sex: 2 }],
  });
  render(<ProfilePane />);
  await waitFor(() => expect(asked.map((a) => a.what)).toContain("GET /users/me"));
  await user.clear(field("Nickname"));
  await user.type(field("Nickname"), "Bea Cole");
  expect(screen.getByText("BC")).toBeTruthy();
  await user.click(screen.getByRole("radio", { name: "Female" }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(useSession.getState().user?.nickname).toBe("Bea Cole"));
  expect(asked.find((a) => a.what.startsWith("PATCH"))?.body).toEqual({ nickname: "Bea Cole", sex: 2 });
});

test("a wrong old password is told at its field, which has the focus", async () => {
  await signedIn({ "PUT /users/me/password": [400, refusal("invalid_argument", "old_password")] });
  render(<PasswordPane />);
  await user.type(field("Present password"), "wrong");
  await user.type(field("New password"), "a wholly new one{Enter}");
  await screen.findByText("This is not your password.");
  expect(document.activeElement).toBe(field("Present password"));
});

test("a password is changed, and the form is empty then", async () => {
  const { asked } = await signedIn({ "PUT /users/me/password": [204] });
  render(<PasswordPane />);
  await user.type(field("Present password"), "correct horse");
  await user.type(field("New password"), "short{Enter}");
  expect(asked).toEqual([]);
  await user.type(field("New password"), " no more{Enter}");
  await waitFor(() => expect(field("New password").value).toBe(""));
  expect(asked.find((a) => a.what.startsWith("PUT"))?.body).toEqual({
    old_password: "correct horse",
    new_password: "short no more",
  });
});

test("other devices are logged out after a question, this one not from here", async () => {
  const device = (id: string, device_name: string, current: boolean) => ({
    id,
    device_name,
    current,
    created_at: "2026-01-01T00:00:00.000Z",
    last_used_at: new Date(Date.now() - 7_300_000).toISOString(),
  });
  const { asked } = await signedIn({
    "GET /auth/sessions?limit=200": [
      200,
      { items: [device("s", "Firefox · Linux", true), device("t", "phone", false)], next_cursor: "" },
    ],
    "DELETE /auth/sessions/t": [204],
  });
  render(<Devices />);
  const items = await screen.findAllByRole("listitem");
  expect(items[0]?.textContent).toContain("This device");
  expect(within(items[0]!).queryByRole("button")).toBeNull();
  expect(items[1]?.textContent).toContain("Last used 2 hours ago");
  await user.click(screen.getByRole("button", { name: "Log out phone" }));
  await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Log out" }));
  await waitFor(() => expect(screen.getAllByRole("listitem")).toHaveLength(1));
  expect(asked.map((a) => a.what)).toContain("DELETE /auth/sessions/t");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("list", { name: "Devices" })));
});

test("a logout ends the session here, and goes back to the beginning", async () => {
  await signedIn({ "POST /auth/logout": [204] });
  location.hash = "#/settings";
  render(<SettingsList open={null} />);
  await user.click(screen.getByRole("button", { name: "Log out" }));
  await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Log out" }));
  await waitFor(() => expect(useSession.getState()).toMatchObject({ status: "out", ended: "logout" }));
  expect(location.hash).toBe("#/login");
});

test("theme and language are changed at once, and kept", async () => {
  onTestFinished(() => changeSettings({ theme: "system", language: "en" }));
  keepSettings();
  render(<Preferences />);
  await user.click(screen.getByRole("radio", { name: "Dark" }));
  expect(document.documentElement.dataset.theme).toBe("dark");
  await user.click(screen.getByRole("radio", { name: "中文" }));
  await screen.findByRole("heading", { name: "偏好设置" });
  expect(document.documentElement.lang).toMatch(/^zh/);
  expect(JSON.parse(localStorage.getItem("parley.settings")!)).toMatchObject({ theme: "dark", language: "zh" });
});

test.each([
  ["granted", true],
  ["denied", false],
] as const)("notifications that the browser says %s to", async (answer, on) => {
  const Notification = { permission: "default", requestPermission: () => Promise.resolve(answer) };
  vi.stubGlobal("Notification", Notification);
  onTestFinished(() => {
    vi.unstubAllGlobals();
    changeSettings({ notifications: false });
  });
  render(<Preferences />);
  await user.click(screen.getByRole("switch", { name: "Desktop notifications" }));
  Notification.permission = answer;
  await waitFor(() => expect(useSettings.getState().notifications).toBe(on));
  await waitFor(() =>
    expect(screen.getByRole<HTMLInputElement>("switch", { name: "Desktop notifications" }).checked).toBe(on),
  );
});

test("a logout tells what would be lost, and only that", async () => {
  await signedIn({});
  onTestFinished(() => {
    useMessages.setState({ outgoing: {} });
    useDrafts.setState({}, true);
  });
  useMessages.setState({ outgoing: { r: [outgoing("a", { status: "failed" }), outgoing("b", { status: "sent" })] } });
  useDrafts.setState({ r: "begun", s: "  " }, true);
  render(<SettingsList open={null} />);
  await user.click(screen.getByRole("button", { name: "Log out" }));
  const question = await screen.findByRole("alertdialog");
  expect(question.textContent).toContain("2 messages that you have not sent yet are lost.");
  act(() => {
    useMessages.setState({ outgoing: {} });
    useDrafts.setState({}, true);
  });
  expect(question.textContent).not.toContain("lost");
});

import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { useSession } from "../store/session";
import "../test/layout";
import { gateway, refusal } from "../test/parley";
import { AccountScreen } from "./AccountScreen";

vi.mock("../store/parley", () => import("../test/parley"));

const grant = {
  user: { id: "me", account: "ann", email: "ann@example.org", nickname: "Ann", sex: 0, avatar_url: "", created_at: "" },
  access_token: `h.${btoa(JSON.stringify({ sub: "me", sid: "s", exp: Date.now() / 1000 + 900 }))}.s`,
  refresh_token: "r",
  expires_in: 900,
};

const user = userEvent.setup({ delay: null });
const field = (name: string) => screen.getByLabelText<HTMLInputElement>(name, { selector: "input" });
const press = (name: string | RegExp) => user.click(screen.getByRole("button", { name }));
const errorOf = (name: string) => {
  const ids = field(name).getAttribute("aria-describedby")?.split(" ") ?? [];
  return ids.map((id) => document.getElementById(id)?.textContent ?? "").join("");
};

beforeEach(() => useSession.setState({ status: "out", session: null, user: null, ended: null }));

test("a wrong password is told at the password, which has the focus", async () => {
  await gateway({ "POST /auth/login": [401, refusal("unauthenticated")] });
  render(<AccountScreen path={["login"]} />);
  await user.type(field("Account or e-mail"), " ann ");
  await user.type(field("Password"), "wrong{Enter}");
  await waitFor(() => expect(errorOf("Password")).toBe("The account or the password is wrong."));
  expect(field("Password").getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(field("Password"));
  await user.type(field("Password"), "x");
  expect(errorOf("Password")).toBe("");
});

test("what is not filled in is told before anything is sent", async () => {
  const { asked } = await gateway({ "POST /auth/login": [200, grant] });
  render(<AccountScreen path={["login"]} />);
  await press("Log in");
  expect(errorOf("Account or e-mail")).toBe("Enter an account.");
  expect(document.activeElement).toBe(field("Account or e-mail"));
  expect(asked).toEqual([]);
});

test("whoever tries too often is told the seconds", async () => {
  await gateway({ "POST /auth/login": [429, refusal("resource_exhausted"), { "Retry-After": "42" }] });
  render(<AccountScreen path={["login"]} />);
  await user.type(field("Account or e-mail"), "ann");
  await user.type(field("Password"), "wrong{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("Too many attempts. Try again in 42 seconds.");
});

test("a server that can't be reached is told, and what was typed stays", async () => {
  const { gateway: server } = await gateway({});
  await server.stop();
  render(<AccountScreen path={["login"]} />);
  await user.type(field("Account or e-mail"), "ann");
  await user.type(field("Password"), "correct horse{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("The server can't be reached.");
  expect(field("Password").value).toBe("correct horse");
});

test("a login begins a session under the device's name", async () => {
  const { asked } = await gateway({ "POST /auth/login": [200, grant] });
  render(<AccountScreen path={[]} />);
  await user.type(field("Account or e-mail"), " ann@example.org ");
  await user.type(field("Password"), "correct horse{Enter}");
  await waitFor(() => expect(useSession.getState().status).toBe("in"));
  expect(asked[0]?.body).toMatchObject({ account: "ann@example.org", password: "correct horse" });
  expect(asked[0]?.body).toHaveProperty("device_name", expect.stringMatching(/\w/));
});

test.each([
  ["revoked", "You were logged out"],
  ["expired", "You were away for long"],
] as const)("a session that was %s is told of", (ended, text) => {
  useSession.setState({ ended });
  render(<AccountScreen path={[]} />);
  expect(screen.getByRole("status").textContent).toContain(text);
});

test("one registers with a pasted code; what is taken is told at its field, and the code stays", async () => {
  let taken = true;
  const { asked } = await gateway({
    "POST /auth/codes": [202],
    "POST /auth/register": () => (taken ? [409, refusal("already_exists", "account")] : [201, grant]),
  });
  render(<AccountScreen path={["register"]} />);
  await user.type(field("E-mail"), "Ann-Lee+im@example.org{Enter}");
  await screen.findByLabelText("Code");
  expect(screen.getByRole("status").textContent).toContain("Ann-Lee+im@example.org");
  expect(document.activeElement).toBe(field("Code"));
  await user.paste("Your code: 123 456.");
  expect(field("Code").value).toBe("123456");
  expect(field("Account").value).toBe("ann_lee");
  await user.type(field("Password"), "correct horse");
  await press("Create account");
  await waitFor(() => expect(errorOf("Account")).toBe("This account is taken. Choose another one."));
  expect(document.activeElement).toBe(field("Account"));
  taken = false;
  await user.type(field("Account"), "2{Enter}");
  await waitFor(() => expect(useSession.getState().status).toBe("in"));
  expect(asked.map((a) => a.body)).toEqual([
    { email: "Ann-Lee+im@example.org", purpose: "register" },
    expect.objectContaining({ code: "123456", account: "ann_lee" }),
    expect.objectContaining({ code: "123456", account: "ann_lee2", password: "correct horse", nickname: "" }),
  ]);
});

test("browsers are told what the fields of a registration are", async () => {
  await gateway({ "POST /auth/codes": [202] });
  render(<AccountScreen path={["register"]} />);
  expect(field("E-mail").autocomplete).toBe("email");
  await user.type(field("E-mail"), "ann@example.org{Enter}");
  await screen.findByLabelText("Code");
  const kinds = ["Code", "Account", "Password"].map((name) => field(name).autocomplete);
  expect(kinds).toEqual(["one-time-code", "username", "new-password"]);
});

test("a code is sent again only after its time; another address may be given at once", async () => {
  const { asked } = await gateway({ "POST /auth/codes": [202] });
  render(<AccountScreen path={["register"]} />);
  await user.type(field("E-mail"), "an@example.org{Enter}");
  const again = await screen.findByRole<HTMLButtonElement>("button", { name: /^Send again in \d+ s$/ });
  expect(again.disabled).toBe(true);
  await press("Change e-mail");
  expect(field("E-mail").value).toBe("an@example.org");
  await user.clear(field("E-mail"));
  await user.type(field("E-mail"), "ann@example.org{Enter}");
  await waitFor(() => expect(asked).toHaveLength(2));
});

test("whoever was mailed a code already can go on with it", async () => {
  await gateway({ "POST /auth/codes": [429, refusal("resource_exhausted"), { "Retry-After": "30" }] });
  render(<AccountScreen path={["register"]} />);
  await user.type(field("E-mail"), "ann@example.org{Enter}");
  await user.click(await screen.findByRole("button", { name: "I have a code" }));
  expect(field("Code").value).toBe("");
  expect(screen.getByRole("button", { name: /^Send again in/ })).toBeTruthy();
});

test("a password is reset and logged in with; a login that fails is tried again without the spent code", async () => {
  let away = true;
  const { asked } = await gateway({
    "POST /auth/codes": [202],
    "POST /auth/password/reset": [204],
    "POST /auth/login": () => (away ? [503, refusal("unavailable")] : [200, grant]),
  });
  render(<AccountScreen path={["reset"]} />);
  await user.type(field("E-mail"), "ann@example.org{Enter}");
  await user.type(await screen.findByLabelText("Code"), "123456");
  await user.type(field("New password"), "a wholly new one{Enter}");
  await screen.findByRole("alert");
  away = false;
  await press("Set new password");
  await waitFor(() => expect(useSession.getState().status).toBe("in"));
  expect(asked.map((a) => a.what)).toEqual([
    "POST /auth/codes",
    "POST /auth/password/reset",
    "POST /auth/login",
    "POST /auth/login",
  ]);
});

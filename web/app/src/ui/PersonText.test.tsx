import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { PersonText } from "./PersonText";

test("a name from right to left does not turn the mark behind it", () => {
  render(<PersonText id="dani" name="דני" mark="(you)" />);
  const name = screen.getByText("דני");
  expect(name.tagName).toBe("BDI");
  expect(name.parentElement!.textContent).toBe("דני (you)");
  expect(name.parentElement!.getAttribute("dir")).toBeNull();
});

import { chromium, type Browser } from "playwright-core";

/** The browser that the tests use, without a window. */
export async function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM;
  if (!executablePath) throw new Error("CHROMIUM names no browser; make webtest sets it");
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-component-update", "--disable-background-networking"],
  });
}

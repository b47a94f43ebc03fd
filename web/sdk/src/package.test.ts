import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { answer, Gateway } from "./testing/gateway.js";
import { program, register, system } from "./testing/system.js";
import { eventually } from "./testing/visitor.js";

const run = promisify(execFile);
const sdk = fileURLToPath(new URL("..", import.meta.url));
const resolve = createRequire(import.meta.url).resolve;

/** An empty project, into which the SDK is installed from the tarball that would be published. */
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "parley-package-"));
  // The dependency comes from the workspace, as a tarball too: nothing is asked of a registry.
  const tarballs = [await pack(sdk), await pack(dirname(resolve("ws/package.json")), "--ignore-scripts")];
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...tarballs], { cwd: project });
}, 300_000);

afterAll(() => rm(project, { recursive: true, force: true }));

async function pack(folder: string, ...more: string[]): Promise<string> {
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", project, ...more], { cwd: folder });
  return join(project, stdout.trim().split("\n").at(-1) ?? "");
}

/** example is the README's own text, for a gateway that listens elsewhere. */
async function example(url: string): Promise<string> {
  const readme = await readFile(join(project, "node_modules/@parley-im/sdk/README.md"), "utf8");
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(code.trim().split("\n").length).toBeLessThanOrEqual(10);
  expect(code).toContain('"http://127.0.0.1:8080"');
  return code.replace("http://127.0.0.1:8080", url);
}

/** start runs the example in the project, as somebody would who has copied it into a file. */
async function start(url: string): Promise<{ said: () => string }> {
  await writeFile(join(project, "example.js"), await example(url));
  const child: ChildProcess = spawn(process.execPath, ["example.js"], { cwd: project });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  let said = "";
  for (const out of [child.stdout, child.stderr]) out?.on("data", (chunk) => (said += String(chunk)));
  child.once("exit", (status) => (said += `it has ended with ${status}`));
  return { said: () => said };
}

test("the tarball holds code and types, and none of the tests", async () => {
  const root = join(project, "node_modules/@parley-im/sdk");
  const { stdout } = await run("find", [root, "-type", "f"]);
  const files = stdout.trim().split("\n");
  expect(files).toContain(join(root, "dist/index.js"));
  expect(files).toContain(join(root, "dist/index.d.ts"));
  expect(files.filter((file) => /test/.test(file.slice(root.length)))).toEqual([]);
});

test("the README's example compiles in a strict project", async () => {
  await writeFile(join(project, "example.ts"), await example("http://127.0.0.1:8080"));
  const args = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "example.ts"];
  const compiled = await run(process.execPath, [resolve("typescript/bin/tsc"), ...args], { cwd: project }).catch(
    (error: { stdout: string }) => error,
  );
  expect(compiled.stdout).toBe("");
});

test("the README's example runs", async () => {
  const g = await Gateway.start();
  g.world.append("r", "before");
  g.answerHttp = (request, response) => {
    if (!request.url?.startsWith("/api/v1/rooms")) return false;
    answer(response, 200, { items: [g.world.describe("r")], next_cursor: "" });
    return true;
  };
  const { said } = await start(g.url);
  await eventually("its message is told", () => said() !== "");
  expect(said()).toBe("me hello\n");
});

test.skipIf(!program)("the README's example runs against real processes", { timeout: 60_000 }, async () => {
  const parley = await system();
  const ann = await register(parley, "ann");
  await register(parley, "bob");
  await ann.addFriend({ account: "bob" });
  const { said } = await start(parley.url);
  await eventually("its message is told", () => said() !== "");
  expect(said()).toBe(`${ann.userId} hello\n`);
});

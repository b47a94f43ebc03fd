import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launch } from "./browser";
import { Person } from "./person";
import { System } from "./system";

/** What the tests of a file share, and who takes part in the one that runs. */
export interface Stage {
  readonly system: System;
  readonly browser: Browser;
  /** Someone at the first page of a gateway, 0 or 1. Leaves when the test ends. */
  visitor(name: string, gateway: 0 | 1, options?: BrowserContextOptions): Promise<Person>;
  /** Someone who has registered there. */
  member(name: string, gateway: 0 | 1, options?: BrowserContextOptions): Promise<Person>;
}

/**
 * A system and a browser for the tests of the file. Each test ends with a look at what the pages had to complain of:
 * exceptions, what their policy forbade, and requests that went elsewhere.
 */
export function stage(env: Record<string, string> = {}): Stage {
  let system: System;
  let browser: Browser;
  const cast: Person[] = [];
  beforeAll(async () => {
    browser = await launch();
    system = await System.start(env);
  });
  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });
  afterEach(async ({ task }) => {
    const people = cast.splice(0);
    if (task.result?.state === "fail") await snap(people, task.name);
    await Promise.all(people.map((p) => p.leave()));
    expect(people.flatMap((p) => p.faults)).toEqual([]);
    expect(people.flatMap((p) => p.strays)).toEqual([]);
  });
  const visitor: Stage["visitor"] = async (name, gateway, options) => {
    const person = await Person.at(browser, system.gateways[gateway]!.url, name, options);
    cast.push(person);
    return person;
  };
  return {
    get system() {
      return system;
    },
    get browser() {
      return browser;
    },
    visitor,
    member: async (name, gateway, options) => {
      const person = await visitor(name, gateway, options);
      await person.register(system.mail);
      return person;
    },
  };
}

// What everyone saw when a test failed, in SNAPSHOTS, if that is set.
async function snap(people: Person[], test: string): Promise<void> {
  const dir = process.env.SNAPSHOTS;
  if (!dir) return;
  const file = test.replace(/\W+/g, "_");
  await Promise.all(people.map((p) => p.page.screenshot({ path: `${dir}/${file}.${p.name}.png` }).catch(() => {})));
}

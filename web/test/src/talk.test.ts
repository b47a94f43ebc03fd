import { expect, test } from "vitest";
import { stage } from "./harness/stage";
import { until } from "./harness/wait";

const s = stage();

test("two strangers register, become friends and talk, then three as a group", async () => {
  const [ann, bob] = await Promise.all([s.member("Ann", 0), s.member("Bob", 1)]);
  await ann.befriend(bob.account);
  await ann.say("hello Bob");
  await bob.open("Ann");
  await bob.sees("hello Bob");
  await bob.say("hello Ann");
  await ann.sees("hello Ann");

  const cleo = await s.member("Cleo", 1);
  await ann.befriend(cleo.account);
  await ann.group("Lunch", "Bob", "Cleo");
  await ann.say("who is hungry?");
  for (const person of [bob, cleo]) {
    await person.open("Lunch");
    await person.sees("who is hungry?");
    await person.say(`me, says ${person.name}`);
  }
  for (const person of [ann, bob, cleo]) {
    await person.sees("me, says Bob");
    await person.sees("me, says Cleo");
    expect(await person.seen(["who is hungry?", "me, says Bob", "me, says Cleo"])).toHaveLength(3);
  }
});

test("what comes while one looks elsewhere is counted, in the list and in the title", async () => {
  const [ann, bob] = await Promise.all([s.member("Ann", 0), s.member("Bob", 1)]);
  await ann.befriend(bob.account);
  await bob.go("Friends");
  for (const text of ["one", "two", "three"]) await ann.say(text);
  await bob.navigation.getByRole("link", { name: /3 unread/ }).waitFor();
  await until("the title has the count", async () => (await bob.page.title()).includes("3"));
  await bob.open("Ann");
  await bob.sees("three");
  await until("the title is plain again", async () => !/\d/.test(await bob.page.title()));
  expect(await bob.navigation.getByRole("link", { name: /unread/ }).count()).toBe(0);
});

test("a gateway is killed: what is typed meanwhile arrives, once and in order, when it is back", async () => {
  const [ann, bob] = await Promise.all([s.member("Ann", 0), s.member("Bob", 1)]);
  await ann.befriend(bob.account);
  await ann.say("before");
  await bob.open("Ann");
  await bob.sees("before");

  const gateway = s.system.gateways[0]!.process;
  await gateway.kill();
  await ann.connection(/again|reconnect/i);
  const typed = Array.from({ length: 8 }, (_, i) => `typed ${i + 1} while it was away`);
  const told = Array.from({ length: 8 }, (_, i) => `told ${i + 1} to someone away`);
  for (const text of typed) await ann.say(text);
  for (const text of told) await bob.say(text);
  await ann.sees(typed.at(-1)!);
  await gateway.start();

  await ann.connection(/^connected/i);
  for (const person of [ann, bob]) {
    await person.sees(typed.at(-1)!);
    await person.sees(told.at(-1)!);
    expect(await person.seen(typed)).toEqual(typed);
    expect(await person.seen(told)).toEqual(told);
  }
  await until("nothing is on its way any more", async () => !(await ann.page.getByText("Sending").count()));
});

test("offline and back: it is told, and what was typed is sent, also after the page was loaded again", async () => {
  const [ann, bob] = await Promise.all([s.member("Ann", 0), s.member("Bob", 1)]);
  await ann.befriend(bob.account);
  await bob.open("Ann");
  await ann.context.setOffline(true);
  await ann.connection(/offline/i);
  await ann.say("from a tunnel");
  await ann.say("still in it");
  await ann.sees("still in it");
  await ann.context.setOffline(false);
  await ann.connection(/^connected/i);
  await bob.sees("still in it");

  await s.system.gateways[0]!.process.kill();
  await ann.connection(/again|reconnect/i);
  await ann.say("kept over a reload");
  await ann.sees("kept over a reload");
  await s.system.gateways[0]!.process.start();
  await ann.page.reload();
  await bob.sees("kept over a reload");
  const texts = ["from a tunnel", "still in it", "kept over a reload"];
  expect(await bob.seen(texts)).toEqual(texts);
});

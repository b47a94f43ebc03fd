import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import { fresh, password } from "./api";
import type { Mail } from "./mail";

// What browsers write themselves about servers that are away or say no.
const expected = /net::ERR_|WebSocket|Failed to load resource/;

/** Someone at a browser of their own, who finds things by what they are called. */
export class Person {
  account = "";
  email = "";
  /** What went wrong in the page, such as an exception or something that its policy forbids. */
  readonly faults: string[] = [];
  /** Where the page asked for something other than its gateway. */
  readonly strays: string[] = [];

  private constructor(
    readonly name: string,
    readonly url: string,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  /** Opens the first page of a gateway in a browser context of its own. */
  static async at(browser: Browser, url: string, name: string, options?: BrowserContextOptions): Promise<Person> {
    const context = await browser.newContext({
      locale: "en-US",
      viewport: { width: 1280, height: 800 },
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(30_000);
    const person = new Person(name, url, context, await context.newPage());
    person.watch();
    await person.page.goto(url);
    return person;
  }

  /** Registers by the pages alone, with the code from the mail. */
  async register(mail: Mail): Promise<void> {
    this.account = fresh(this.name.toLowerCase());
    this.email = `${this.account}@example.org`;
    await this.link("Create an account").click();
    await this.field("E-mail").fill(this.email);
    await this.button("Send code").click();
    await this.field("Code").fill(await mail.code(this.email));
    await this.field("Account").fill(this.account);
    await this.field("Nickname (optional)").fill(this.name);
    await this.field("Password").fill(password);
    await this.button("Create account").click();
    await this.navigation.waitFor();
  }

  /** Logs in by the pages, as an account that is there. */
  async login(account: string): Promise<void> {
    this.account = account;
    await this.field("Account or e-mail").fill(account);
    await this.field("Password").fill(password);
    await this.button("Log in").click();
    await this.navigation.waitFor();
  }

  /** Makes friends by the pages, and so comes to the chat with them. */
  async befriend(account: string): Promise<void> {
    await this.go("Friends");
    await this.button("Add friend").first().click();
    await this.field("Account of your friend").fill(account);
    await this.button("Find").click();
    await this.page.getByRole("status").getByRole("button", { name: "Add friend" }).click();
    await this.composer.waitFor();
  }

  /** Makes a group by the pages, of friends by their nicknames. */
  async group(name: string, ...members: string[]): Promise<void> {
    await this.go("Friends");
    await this.button("New group").click();
    await this.field("Group name").fill(name);
    for (const member of members) await this.page.getByRole("checkbox", { name: member }).check({ force: true });
    await this.button("Create group").click();
    await this.heading(name).waitFor();
  }

  /** Opens a chat of the list. */
  async open(chat: string): Promise<void> {
    await this.go("Chats");
    await this.chats.getByRole("link", { name: chat }).first().click();
    await this.composer.waitFor();
  }

  async go(place: "Chats" | "Friends" | "Settings"): Promise<void> {
    await this.navigation.getByRole("link", { name: place }).click();
  }

  /** Types a message as people do, and sends it with Enter, or with the button where Enter begins a new line. */
  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    const newLine = (await this.composer.getAttribute("enterkeyhint")) === "enter";
    await (newLine ? this.button("Send").click() : this.composer.press("Enter"));
  }

  /** Resolves when the message can be seen. */
  async sees(text: string): Promise<void> {
    await this.message(text).waitFor();
  }

  /** The messages that are there of these texts, in their order, with repetitions. */
  async seen(texts: readonly string[]): Promise<string[]> {
    const all = await this.page.getByRole("article").allInnerTexts();
    return all.flatMap((shown) => texts.find((text) => shown.split("\n").includes(text)) ?? []);
  }

  /** Resolves when the connection's state is told to be this. */
  async connection(state: RegExp): Promise<void> {
    await this.page
      .getByRole("status", { name: "Connection" })
      .filter({ hasText: state })
      .waitFor({ state: "attached" });
  }

  message(text: string): Locator {
    return this.page.getByRole("article").filter({ has: this.page.getByText(text, { exact: true }) });
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: "Message" });
  }

  get navigation(): Locator {
    return this.page.getByRole("navigation", { name: "Main" });
  }

  get chats(): Locator {
    return this.page.getByRole("region", { name: "Chats" });
  }

  field(label: string): Locator {
    return this.page.getByRole("textbox", { name: label, exact: true });
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  link(name: string): Locator {
    return this.page.getByRole("link", { name, exact: true });
  }

  heading(name: string): Locator {
    return this.page.getByRole("heading", { name, exact: true });
  }

  async leave(): Promise<void> {
    await this.context.close();
  }

  private watch(): void {
    this.page.on("pageerror", (error) => this.faults.push(error.stack ?? error.message));
    this.page.on("console", (message) => {
      if (message.type() === "error" && !expected.test(message.text())) this.faults.push(message.text());
    });
    this.page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(this.url)) this.strays.push(request.url());
    });
  }
}

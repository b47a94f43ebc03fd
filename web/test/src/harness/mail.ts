import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { until } from "./wait";

/** An SMTP server that delivers nothing and keeps what it gets. */
export class Mail {
  private readonly texts = new Map<string, string[]>();
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((socket) => this.serve(socket));

  static async start(): Promise<Mail> {
    const mail = new Mail();
    await new Promise<void>((resolve) => mail.server.listen(0, "127.0.0.1", resolve));
    return mail;
  }

  /** As SMTP_URL takes it. */
  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}?tls=none`;
  }

  /** The code of the next mail to the address. */
  async code(address: string): Promise<string> {
    const text = await until(`a mail to ${address}`, () => this.texts.get(address)?.shift());
    const code = /\b\d{6}\b/.exec(text.slice(text.indexOf("\r\n\r\n")));
    if (!code) throw new Error(`there is no code in:\n${text}`);
    return code[0];
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(socket: Socket): void {
    let to: string[] = [];
    let body: string[] | null = null;
    let rest = "";
    const say = (line: string) => socket.write(line + "\r\n");
    const hear = (line: string): void => {
      if (body && line !== ".") {
        body.push(line.startsWith("..") ? line.slice(1) : line);
        return;
      }
      if (body) {
        for (const address of to) this.keep(address, body.join("\r\n"));
        [to, body] = [[], null];
        say("250 kept");
        return;
      }
      const verb = line.slice(0, 4).toUpperCase();
      const recipient = /^RCPT TO:<(.*?)>/i.exec(line)?.[1];
      if (recipient) to.push(recipient);
      if (verb === "DATA") body = [];
      say({ DATA: "354 go on", QUIT: "221 bye", EHLO: "250-here\r\n250 8BITMIME" }[verb] ?? "250 ok");
      if (verb === "QUIT") socket.end();
    };
    this.sockets.add(socket);
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy()).on("close", () => this.sockets.delete(socket));
    socket.on("data", (chunk) => {
      const lines = (rest + String(chunk)).split("\r\n");
      rest = lines.pop() ?? "";
      lines.forEach(hear);
    });
    say("220 here");
  }

  private keep(address: string, text: string): void {
    this.texts.set(address, [...(this.texts.get(address) ?? []), text]);
  }
}

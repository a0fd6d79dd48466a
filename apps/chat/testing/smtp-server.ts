/** A fake mail server for tests. It accepts every e-mail over plain SMTP on the loopback address, and keeps it. */
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface ReceivedMail {
  to: string;
  /** Headers and text, with quoted-printable decoded. */
  text: string;
}

export interface SmtpServer {
  /** The value for `MAIL_URL`. */
  url: string;
  mails: ReceivedMail[];
  /** Refuses every recipient from now on, and names it, as mail servers do. */
  refuse(): void;
  close(): Promise<void>;
}

export async function startSmtpServer(): Promise<SmtpServer> {
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  let isRefusing = false;

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    const say = (line: string) => socket.write(`${line}\r\n`);
    let received = "";
    let to = "";
    let isData = false;
    say("220 test");
    socket.on("data", (chunk) => {
      received += chunk;
      for (;;) {
        if (isData) {
          const end = received.indexOf("\r\n.\r\n");
          if (end < 0) return;
          mails.push({ to, text: joined(received.slice(0, end)) });
          received = received.slice(end + 5);
          isData = false;
          say("250 kept");
        }
        const lineEnd = received.indexOf("\r\n");
        if (lineEnd < 0) return;
        const line = received.slice(0, lineEnd);
        received = received.slice(lineEnd + 2);
        if (/^RCPT TO:/i.test(line)) {
          to = /<([^>]*)>/.exec(line)?.[1] ?? "";
          say(isRefusing ? `550 no such mailbox ${to}` : "250 ok");
        } else if (/^DATA/i.test(line)) {
          isData = true;
          say("354 go on");
        } else if (/^QUIT/i.test(line)) {
          say("221 bye");
          socket.end();
        } else say("250 ok");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    refuse() {
      isRefusing = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Decodes quoted-printable. */
function joined(text: string): string {
  return text
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

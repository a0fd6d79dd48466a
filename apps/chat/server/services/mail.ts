import { createTransport } from "nodemailer";
import type { Logger } from "pino";
import { describeError } from "../http/describe-error.ts";

export interface Mail {
  subject: string;
  /** The body, as plain text. */
  text: string;
}

export interface Mailer {
  /**
   * Queues an e-mail without waiting, because the time that the mail server takes would reveal who has an account. A
   * failure is logged, without recipient and text.
   */
  send(to: string, mail: Mail): void;
  /** Waits for the e-mails that are being sent. */
  close(): Promise<void>;
}

export interface MailSettings {
  /** The server: `smtp://` or `smtps://`, with user and password if the server needs them. */
  url: string;
  from: string;
}

/** The maximum number of waiting e-mails. If more would wait, the mail server is down or too slow. */
const MOST_WAITING = 100;
const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 30_000;

/** Creates a mailer over SMTP. It sends a password only over TLS, except to this machine. */
export function createMailer({ url, from }: MailSettings, log: Logger): Mailer {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === "smtps:";
  const isLocal = /^(localhost|127\.|\[::1\])/.test(hostname);
  const transport = createTransport({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && !isLocal && username !== "",
    ...(username === ""
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const waiting = new Set<Promise<void>>();

  return {
    send(to, mail) {
      if (waiting.size >= MOST_WAITING) {
        log.error(
          { waiting: waiting.size },
          "an e-mail was not sent: too many are waiting for the mail server",
        );
        return;
      }
      const sending = transport.sendMail({ from, to: { name: "", address: to }, ...mail }).then(
        () => log.info("an e-mail was sent"),
        (error: unknown) => log.error({ error: withoutWords(error) }, "an e-mail was not sent"),
      );
      waiting.add(sending);
      void sending.finally(() => waiting.delete(sending));
    },
    async close() {
      await Promise.all(waiting);
      transport.close();
    },
  };
}

/** Describes an error without the mail server's response, which may contain the recipient. */
function withoutWords(error: unknown): Record<string, unknown> {
  const { name, code } = describeError(error);
  const { responseCode } = error as { responseCode?: unknown };
  return { name, code, ...(typeof responseCode === "number" ? { responseCode } : {}) };
}

import { connect, type Socket } from "node:net";
import { attend } from "../measuring/companion.ts";
import { requestBy } from "./request.ts";

/** Clients that keep a service busy. A connection that ends or is cut off is replaced by a new one. */
export interface Crowd {
  readonly port: number;
  /** Answers that are read as they arrive. */
  readonly streams: number;
  /** Clients that send a message and never read the answer. */
  readonly slowReaders: number;
  /** Clients that send a body byte by byte. */
  readonly slowBodies: number;
}

/** "come" returns when each stream has sent its first byte. "counts" returns the counts so far. */
export type Question = { do: "come"; crowd: Crowd } | { do: "counts" };

/** How many streams began, how many ended, and the statuses of other responses. */
export interface Counts {
  readonly begun: number;
  readonly ended: number;
  readonly refused: Readonly<Record<string, number>>;
}

/** The pause between two bytes of a slow body. The whole body takes longer than the service allows for a request. */
const BYTE_EVERY_MS = 500;

let callers = 0;
let begun = 0;
let ended = 0;
const refused: Record<string, number> = {};

attend(() => async (asked: Question): Promise<Counts> => {
  if (asked.do === "come") {
    const { port, streams, slowReaders, slowBodies } = asked.crowd;
    for (let n = 0; n < slowReaders; n += 1) leaveUnread(port);
    for (let n = 0; n < slowBodies; n += 1) sendSlowly(port);
    await Promise.all(Array.from({ length: streams }, () => keepReading(port)));
  }
  return { begun, ended, refused };
});

function ask(port: number): Socket {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  // The service may cut the connection off.
  socket.on("error", () => {});
  socket.write(requestBy(callers));
  callers += 1;
  return socket;
}

/** Reads answers, one after another. @returns when the first of them has sent its first byte */
function keepReading(port: number): Promise<void> {
  const socket = ask(port);
  socket.resume();
  return new Promise((resolve) => {
    socket.once("data", (chunk: Buffer) => {
      const [, status = "none"] = /^HTTP\/1\.1 (\d+)/.exec(chunk.toString("latin1", 0, 12)) ?? [];
      if (status === "200") begun += 1;
      else refused[status] = (refused[status] ?? 0) + 1;
      resolve();
    });
    socket.once("close", () => {
      ended += 1;
      // The service may have cut the connection off before its first byte.
      void keepReading(port).then(resolve);
    });
  });
}

function leaveUnread(port: number): void {
  const socket = ask(port);
  socket.pause();
  socket.once("close", () => leaveUnread(port));
}

function sendSlowly(port: number): void {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  socket.on("error", () => {});
  const text = requestBy(callers);
  callers += 1;
  const bodyFrom = text.indexOf("\r\n\r\n") + 4;
  socket.write(text.slice(0, bodyFrom));
  let sent = bodyFrom;
  const timer = setInterval(() => {
    // Never send the last byte.
    if (sent < text.length - 1) socket.write(text.charAt(sent));
    sent += 1;
  }, BYTE_EVERY_MS);
  socket.resume();
  socket.once("close", () => {
    clearInterval(timer);
    sendSlowly(port);
  });
}

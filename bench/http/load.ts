import { connect } from "node:net";
import { attend } from "../measuring/companion.ts";
import { ipOf, userOf } from "../traffic.ts";

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly forMs: number;
  /** The minimum number of requests; the round takes longer if necessary. */
  readonly atLeast: number;
  /**
   * Whether callers are new, with five requests each, or always the same, so that all except their first
   * requests are refused.
   */
  readonly callers: "new" | "same";
}

export interface Loaded {
  readonly perSecond: number;
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
}

const visitsACaller = 5;
/** The number of other callers between two visits of a caller. */
const callersABlock = 1_000;
const sameCallers = 16;

/** The number of requests to each port so far, so that new callers are new to it. */
const asked = new Map<number, number>();

attend(() => load);

/** Sends requests on each connection, one at a time, without pipelining. */
async function load({ port, connections, forMs, atLeast, callers }: Load): Promise<Loaded> {
  const byStatus: Record<string, number> = {};
  const startedMs = performance.now();
  const untilMs = startedMs + forMs;
  let requests = 0;

  function nextRequest(): string {
    const number = asked.get(port) ?? 0;
    asked.set(port, number + 1);
    const block = Math.floor(number / (visitsACaller * callersABlock));
    const caller =
      callers === "new" ? block * callersABlock + (number % callersABlock) : number % sameCallers;
    return requestBy(callers === "new" ? caller + sameCallers : caller);
  }

  function keepAsking(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, noDelay: true });
      let received = "";
      socket.setEncoding("latin1");
      socket.once("connect", () => socket.write(nextRequest()));
      socket.once("error", reject);
      socket.on("data", (chunk: string) => {
        received += chunk;
        const length = lengthOf(received);
        if (length === undefined || received.length < length) return;
        const status = received.slice(9, 12);
        byStatus[status] = (byStatus[status] ?? 0) + 1;
        requests += 1;
        received = received.slice(length);
        if (requests < atLeast || performance.now() < untilMs) {
          socket.write(nextRequest());
          return;
        }
        socket.destroy();
        resolve();
      });
    });
  }

  await Promise.all(Array.from({ length: connections }, keepAsking));
  return { perSecond: requests / ((performance.now() - startedMs) / 1000), requests, byStatus };
}

function requestBy(caller: number): string {
  return `GET / HTTP/1.1\r\nHost: localhost\r\nX-User-Id: ${userOf(caller)}\r\nX-Address: ${ipOf(caller)}\r\n\r\n`;
}

/** Returns the length of the whole response, once its head has arrived. */
function lengthOf(received: string): number | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const head = received.slice(0, headEnd).toLowerCase();
  const field = head.indexOf("\r\ncontent-length:");
  if (field === -1)
    throw new Error(`The load generator reads responses with a Content-Length only, got: ${head}`);
  return headEnd + 4 + Number.parseInt(head.slice(field + "\r\ncontent-length:".length), 10);
}

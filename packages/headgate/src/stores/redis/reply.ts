import type { LimitSet } from "../../core/limit-set.ts";
import type { Outcome, Reading } from "../../core/store.ts";
import type { Request } from "./message.ts";

/** What came of one request; a fault of its own is a value, so that it does not spoil those that travelled along. */
export type Answer = Outcome | Error;

const nothing: Outcome = { admitted: true, now: 0, readings: [], marks: [] };

/**
 * Reads the script's flat list of numbers: the server's time if it was asked, then the answers in their order.
 *
 * @throws Error where it is not what the script returns.
 */
export function readReply(requests: readonly Request[], reply: unknown): Answer[] {
  const numbers = numbersOf(reply);
  const serverNow = numbers[0] as number;
  let at = 1;

  function next(): number {
    const number = numbers[at];
    if (number === undefined) throw new Error("The Redis store's script answered too little.");
    at += 1;
    return number;
  }

  function readings(limits: LimitSet, refused: boolean): Reading[] {
    const read = new Array<Reading>(limits.limits.length);
    const order = replyOrder(limits);
    const waits = refused ? order.map(() => asWait(next())) : undefined;
    for (let n = 0; n < order.length; n += 1) {
      const remaining = next();
      read[order[n] as number] = { remaining, waitMs: waits?.[n] ?? 0, resetMs: next() };
    }
    return read;
  }

  function answer(request: Request): Answer {
    const status = next();
    if (status < 0) return faultOf(status, (request.parts[next() - 1] as { space: string }).space);
    if (request.do === "reset" || request.do === "probe") return nothing;
    const now = request.at > 0 ? request.at : serverNow;
    const parts: readonly { readonly limits: LimitSet }[] = request.parts;
    const read = parts.map(({ limits }) => readings(limits, status === 0));
    if (status === 0 || request.do === "peek") {
      return { admitted: status !== 0, now, readings: read, marks: [] };
    }
    const marks = parts.map(({ limits }) => limits.groups.map(() => (status === 2 ? next() : 0)));
    return { admitted: true, now, readings: read, marks };
  }

  const answers = requests.map(answer);
  if (at !== numbers.length) throw new Error("The Redis store's script answered too much.");
  return answers;
}

/** Clients can be told to give numbers as text or as bigints. */
function numbersOf(reply: unknown): readonly number[] {
  if (!Array.isArray(reply) || reply.length === 0) {
    throw new Error("The Redis store's script did not answer with a list.");
  }
  return typeof reply[0] === "number" ? reply : reply.map(Number);
}

function asWait(number: number): number {
  return number < 0 ? Number.POSITIVE_INFINITY : number;
}

function faultOf(status: number, space: string): Error {
  if (status === -1) {
    return new Error(
      `The Redis store holds a state of layer "${space}" that it cannot read. It is left as it is: ` +
        "another program may use the same keys (give this one a prefix of its own), or a newer release wrote it.",
    );
  }
  return new Error(
    `The clocks of this process and of the Redis server differ by more than a window of layer "${space}": ` +
      "windows of the calendar cannot be told. Set the clocks.",
  );
}

const orders = new WeakMap<LimitSet, readonly number[]>();

/** The script answers group by group; these are the places of its answers among the limits as they were written. */
function replyOrder(limits: LimitSet): readonly number[] {
  let order = orders.get(limits);
  if (order === undefined) {
    order = limits.groups.flatMap((_, g) =>
      [...limits.groupOf.keys()].filter((l) => limits.groupOf[l] === g),
    );
    orders.set(limits, order);
  }
  return order;
}

import type { LimitSet } from "../../core/limit-set.ts";
import type { Adjustment, Charge } from "../../core/store.ts";
import { limitText } from "./limit-text.ts";

export interface Partition {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
}

/**
 * One request of a batch. `at` is the time to decide by, ms; 0 for the server's own. `keys` are what the partitions of
 * its parts are stored under, one for one.
 */
export type Request =
  | {
      readonly do: "decide" | "peek";
      readonly at: number;
      readonly keys: Keys;
      readonly parts: readonly Charge[];
    }
  | { readonly do: "adjust"; readonly at: number; readonly keys: Keys; readonly parts: readonly Adjustment[] }
  | { readonly do: "reset"; readonly at: number; readonly keys: Keys; readonly parts: readonly Partition[] }
  | { readonly do: "probe"; readonly at: number; readonly keys: Keys; readonly parts: readonly [] };

type Keys = readonly string[];

/** What the script is called with. */
export interface Message {
  readonly keys: string[];
  readonly argument: string;
}

/** @param calendarNow the time around which windows of the calendar are sent along, ms. */
export function writeMessage(requests: readonly Request[], calendarNow: number): Message {
  const keys: string[] = [];
  const sets: string[] = [];
  const setNumbers = new Map<LimitSet, number>();
  const numbers: number[] = [];
  /** The first of those that ask the same for other partitions, and where it stands how many they are. */
  let run: Extract<Request, { do: "decide" | "peek" }> | undefined;
  let runAt = 0;

  function setNumber(limits: LimitSet): number {
    let number = setNumbers.get(limits);
    if (number === undefined) {
      number = sets.push(limitText(limits, calendarNow));
      setNumbers.set(limits, number);
    }
    return number;
  }

  for (const request of requests) {
    for (const key of request.keys) keys.push(key);
    if (run !== undefined && asksTheSame(run, request)) {
      numbers[runAt] = (numbers[runAt] as number) + 1;
      continue;
    }
    run = undefined;
    numbers.push(codes[request.do], request.at);
    switch (request.do) {
      case "decide":
      case "peek":
        run = request;
        runAt = numbers.push(1, request.parts.length) - 2;
        for (const { limits, needs, spends } of request.parts) {
          numbers.push(setNumber(limits), ...needs, ...spends);
        }
        break;
      case "adjust":
        numbers.push(request.parts.length);
        for (const { limits, refunds, renewals, spends } of request.parts) {
          const changes = 4 * refunds.length + 2 * renewals.length;
          numbers.push(setNumber(limits), refunds.length, renewals.length, changes);
          for (const { group, amount, chargedAt, mark } of refunds) {
            numbers.push(group + 1, amount, chargedAt, mark);
          }
          for (const { group, mark } of renewals) numbers.push(group + 1, mark);
          numbers.push(...spends);
        }
        break;
      case "reset":
        numbers.push(request.parts.length);
    }
  }
  return { keys, argument: `[[${sets.join()}],[${numbers.join()}]]` };
}

const codes = { decide: 0, peek: 1, adjust: 2, reset: 3, probe: 4 } as const;

/** Whether two requests differ in their partitions alone. */
function asksTheSame(one: Request & { readonly parts: readonly Charge[] }, other: Request): boolean {
  if (other.do !== one.do || other.at !== one.at || other.parts.length !== one.parts.length) return false;
  const charges = other.parts as readonly Charge[];
  return one.parts.every((charge, c) => {
    const { limits, needs, spends } = charges[c] as Charge;
    return limits === charge.limits && areEqual(needs, charge.needs) && areEqual(spends, charge.spends);
  });
}

function areEqual(some: readonly number[], others: readonly number[]): boolean {
  return some === others || some.every((number, n) => number === others[n]);
}

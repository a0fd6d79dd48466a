import type { LimitSet } from "../../core/limit-set.ts";
import type { Adjustment, Charge } from "../../core/store.ts";
import { limitText } from "./limit-text.ts";

/** A charge or an adjustment with the key that its partition is stored under. */
export type Keyed<Part> = Part & { readonly storedKey: string };

export interface Partition {
  readonly space: string;
  readonly limits: LimitSet;
}

/** One request of a batch. `at` is the time to decide by, ms; 0 for the server's own. */
export type Request =
  | { readonly do: "decide" | "peek"; readonly at: number; readonly parts: readonly Keyed<Charge>[] }
  | { readonly do: "adjust"; readonly at: number; readonly parts: readonly Keyed<Adjustment>[] }
  | { readonly do: "reset"; readonly at: number; readonly parts: readonly Keyed<Partition>[] }
  | { readonly do: "probe"; readonly at: number; readonly parts: readonly { readonly storedKey: string }[] };

/** What the script is called with. */
export interface Message {
  readonly keys: string[];
  readonly argument: string;
}

/** @param calendarNow the time around which windows of the calendar are sent along, ms. */
export function writeMessage(requests: readonly Request[], calendarNow: number): Message {
  const keys: string[] = [];
  const keyNumbers = new Map<string, number>();
  const sets: string[] = [];
  const setNumbers = new Map<LimitSet, number>();
  const numbers: number[] = [];

  function keyNumber(key: string): number {
    let number = keyNumbers.get(key);
    if (number === undefined) {
      number = keys.push(key);
      keyNumbers.set(key, number);
    }
    return number;
  }

  function setNumber(limits: LimitSet): number {
    let number = setNumbers.get(limits);
    if (number === undefined) {
      number = sets.push(limitText(limits, calendarNow));
      setNumbers.set(limits, number);
    }
    return number;
  }

  for (const request of requests) {
    numbers.push(codes[request.do], request.at);
    if (request.do !== "probe") numbers.push(request.parts.length);
    switch (request.do) {
      case "decide":
      case "peek":
        for (const { storedKey, limits, needs, spends } of request.parts) {
          numbers.push(keyNumber(storedKey), setNumber(limits));
          for (const need of needs) numbers.push(need);
          for (const spent of spends) numbers.push(spent);
        }
        break;
      case "adjust":
        for (const { storedKey, limits, refunds, renewals, spends } of request.parts) {
          const changes = 4 * refunds.length + 2 * renewals.length;
          numbers.push(keyNumber(storedKey), setNumber(limits), refunds.length, renewals.length, changes);
          for (const { group, amount, chargedAt, mark } of refunds) {
            numbers.push(group + 1, amount, chargedAt, mark);
          }
          for (const { group, mark } of renewals) numbers.push(group + 1, mark);
          for (const spent of spends) numbers.push(spent);
        }
        break;
      default:
        for (const { storedKey } of request.parts) numbers.push(keyNumber(storedKey));
    }
  }
  return { keys, argument: `[[${sets.join()}],[${numbers.join()}]]` };
}

const codes = { decide: 0, peek: 1, adjust: 2, reset: 3, probe: 4 } as const;

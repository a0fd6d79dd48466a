import { type Claim, type ClaimChange, withoutRequests } from "../../core/claim.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import { blocked, type OverrideTerms, writeNote } from "../../core/override.ts";
import type { Adjustment, Charge, Hold } from "../../core/store.ts";
import { limitText, logText, termsText } from "./limit-descriptions.ts";
import { claimKey, holdingsKeys, recordsKey } from "./partition-id.ts";

export interface Partition {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
}

/**
 * One request of a batch. `at` is the time to decide by, ms; 0 for the server's own. `keys` are the keys of the
 * partitions of its parts, in the same order.
 */
export type Request =
  | {
      readonly do: "decide" | "peek";
      readonly at: number;
      readonly keys: Keys;
      readonly parts: readonly Charge[];
      readonly hold?: Hold | undefined;
      /** The id that the request claims with one of its parts. There is always a hold then. */
      readonly claim?: Claim | undefined;
      /**
       * In a cluster: the attempt over several slots that this request is a part of; it is recorded. "" if the request is
       * not a part of one, but may be refused because of charges of such attempts.
       */
      readonly attempt?: string | undefined;
    }
  /** Other slots refused the attempt or did not answer: gives back its charges in this slot, and ends its holds. */
  | {
      readonly do: "cancel";
      readonly at: number;
      readonly keys: Keys;
      readonly parts: readonly Charge[];
      readonly hold?: Hold | undefined;
      readonly attempt: string;
      /** Whether the charge may still be on its way: if it arrives later, it does nothing. */
      readonly mayCome: boolean;
      /** The id that the attempt had claimed with one of these parts. */
      readonly claim?: Claim | undefined;
    }
  /** All slots have admitted these attempts. */
  | {
      readonly do: "commit";
      readonly at: number;
      /** The key of the partition. It is not read. */
      readonly of: string;
      readonly keys: readonly [];
      readonly parts: readonly [];
      readonly attempts: readonly string[];
    }
  /** Asks as which attempt a reservation owns the claim of an id. */
  | {
      readonly do: "owned";
      readonly at: number;
      /** The key of the partition that the claim is kept with. It is not read. */
      readonly of: string;
      readonly keys: readonly [];
      readonly parts: readonly [];
      readonly rid: string;
      readonly id: string;
    }
  | { readonly do: "adjust"; readonly at: number; readonly keys: Keys; readonly parts: readonly Adjustment[] }
  | {
      readonly do: "reset";
      readonly at: number;
      readonly keys: Keys;
      readonly parts: readonly Partition[];
      /** Whether there may be attempts on record. */
      readonly attempts?: boolean;
    }
  | {
      readonly do: "override";
      readonly at: number;
      readonly keys: Keys;
      readonly parts: readonly { readonly space: string; readonly key: string }[];
      readonly terms: OverrideTerms | undefined;
    }
  | { readonly do: "probe"; readonly at: number; readonly keys: Keys; readonly parts: readonly [] };

type Keys = readonly string[];

/** The keys and arguments of the script's call. */
export interface Message {
  readonly keys: Keys;
  readonly argument: string;
}

type Deciding = Extract<Request, { do: "decide" | "peek" }>;

/** @param calendarNow the time, ms. The calendar windows around it are sent with the call. */
export function writeMessage(requests: readonly Request[], calendarNow: number): Message {
  const single = requests.length === 1 ? singleMessage(requests[0] as Request) : undefined;
  if (single !== undefined) return single;
  const keys: string[] = [];
  const heldKeys: string[] = [];
  /** The last of the keys. */
  const claimKeys: string[] = [];
  const recordKeys: string[] = [];
  const sets: string[] = [];
  const rids: string[] = [];
  const setNumbers = new Map<LimitSet, number>();
  const numbers: number[] = [];
  /** The first of several requests that differ only in their partitions, and the index of their count. */
  let run: Deciding | undefined;
  let runAt = 0;

  function setNumber(limits: LimitSet): number {
    let number = setNumbers.get(limits);
    if (number === undefined) {
      number = sets.push(limitText(limits, calendarNow));
      setNumbers.set(limits, number);
    }
    return number;
  }

  function addKeys(request: Request): void {
    for (const key of request.keys) keys.push(key);
    if (looksAtRecords(request)) {
      for (const key of request.do === "commit" ? [request.of] : request.keys)
        recordKeys.push(recordsKey(key));
    }
    if (request.do === "probe" || request.do === "override") return;
    if (request.do === "commit" || request.do === "owned") return;
    const holds = request.do === "adjust" || request.do === "reset" || request.hold !== undefined;
    for (let p = 0; p < request.parts.length; p += 1) {
      if (!holds && !(request.parts[p] as Partition).limits.holdable) continue;
      heldKeys.push(...holdingsKeys(request.keys[p] as string));
    }
  }

  /** The shortest form, for requests that do not depend on holds. */
  function addDeciding({ do: what, parts, hold }: Deciding): void {
    const plain = hold === undefined && !parts.some(({ limits }) => limits.holdable);
    if (plain) {
      runAt = numbers.push(1, parts.length) - 2;
      for (const { limits, needs, spends } of parts) numbers.push(setNumber(limits), ...needs, ...spends);
      return;
    }
    numbers[numbers.length - 2] = what === "peek" ? 6 : 5;
    runAt = numbers.push(1, parts.length, hold === undefined ? 0 : rids.push(hold.rid), hold?.seq ?? 0) - 4;
    for (const { limits, needs, spends, holds, known } of parts) {
      const isRead = hold !== undefined || limits.holdable;
      numbers.push(setNumber(limits), isRead ? 1 : 0, ...needs, ...spends);
      if (hold !== undefined) numbers.push(...asMany(limits, holds), ...asMany(limits, known));
    }
  }

  /** Overrides of the limits are written before the request: most requests have none, and write nothing. */
  function addOverrides(parts: readonly Charge[]): boolean {
    if (parts.every(({ override }) => override === undefined)) return false;
    numbers.push(codes.under, parts.length, ...parts.map(({ override }) => override?.id ?? 0));
    return true;
  }

  /** Writes both forms that may be needed: an attempt that takes over does not pay for requests. */
  function addClaiming(request: Deciding, { fingerprint, result, leaseMs, ...claim }: Claim): void {
    const { at, parts, hold } = request;
    numbers.push(codes.claim, claimKeys.push(claimKey(keyIn(request, claim), claim.id)), at);
    numbers.push(rids.push(fingerprint), rids.push(result), rids.push(hold?.rid ?? ""), leaseMs);
    const isOnRecord = looksAtRecords(request);
    const lengthAt = numbers.push(0, 0, parts.length, isOnRecord ? parts.length : 0) - 4;
    for (const [form, asked] of [parts, withoutRequests(parts)].entries()) {
      const from = numbers.length;
      addOverrides(asked);
      if (isOnRecord) numbers.push(codes.spanning, attemptNumber(request));
      numbers.push(codes.decide, at);
      addDeciding({ ...request, parts: asked });
      numbers[lengthAt + form] = numbers.length - from;
    }
  }

  /** A late copy does not find the attempt any more, and leaves the id to the next attempt of the same reservation. */
  function addUnclaiming(request: Extract<Request, { do: "cancel" }>, claim: Claim): void {
    const rid = request.hold?.rid ?? "";
    const change = { ...claim, attempt: 1, requests: 0, state: "nothing" } as const;
    addClaimChange(keyIn(request, claim), request.at, rid, change, raisings.withItsAttempt);
  }

  function addClaimChange(key: string, at: number, rid: string, change: ClaimChange, raising: number): void {
    const { id, fingerprint, result, leaseMs, attempt, state } = change;
    numbers.push(codes.claimed, claimKeys.push(claimKey(key, id)), at);
    numbers.push(rids.push(fingerprint), rids.push(result), rids.push(rid), leaseMs, attempt);
    numbers.push(claimStates.indexOf(state) + 1, raising);
  }

  function addOverriding({ parts, terms }: Extract<Request, { do: "override" }>): void {
    if (terms === undefined) {
      numbers.push(parts.length, 0, 0, 0, 0, 0);
      return;
    }
    const { id, limits, until, forMs } = terms;
    const note = rids.push(writeNote(terms));
    const endsAt = until === undefined && forMs !== undefined ? 0 : endOf(until);
    numbers.push(parts.length, note, endsAt, Math.min(forMs ?? 0, latestMs), id, limits === blocked ? 1 : 0);
  }

  function addCancel({ parts, hold, attempt, mayCome }: Extract<Request, { do: "cancel" }>): void {
    numbers.push(parts.length, hold === undefined ? 0 : rids.push(hold.rid), hold?.seq ?? 0);
    numbers.push(rids.push(attempt), mayCome ? 1 : 0);
    for (const { limits } of parts)
      numbers.push(setNumber(limits), hold !== undefined || limits.holdable ? 1 : 0);
  }

  function addAdjustment({ limits, rid, seq, ended, raises, known, used, held, refunds }: Adjustment): void {
    numbers.push(setNumber(limits), rids.push(rid), seq, (ended ? 1 : 0) + (raises ? 2 : 0));
    numbers.push(...asMany(limits, known), ...asMany(limits, used), ...asMany(limits, held), refunds.length);
    for (const { group, amount, chargedAt, mark } of refunds)
      numbers.push(group + 1, amount, chargedAt, mark);
  }

  /** 0 if it does not belong to one. */
  function attemptNumber(request: Request): number {
    const attempt = "attempt" in request ? request.attempt : undefined;
    return attempt === undefined || attempt === "" ? 0 : rids.push(attempt);
  }

  for (const request of requests) {
    addKeys(request);
    if (run !== undefined && asksTheSame(run, request)) {
      numbers[runAt] = (numbers[runAt] as number) + 1;
      if (request.hold !== undefined) rids.push(request.hold.rid);
      continue;
    }
    run = undefined;
    if (request.do === "decide" && request.claim !== undefined) {
      addClaiming(request, request.claim);
      continue;
    }
    const isUnder = (request.do === "decide" || request.do === "peek") && addOverrides(request.parts);
    if (request.do === "commit") {
      const { attempts } = request;
      numbers.push(codes.commit, attempts.length, rids.push(...attempts) - attempts.length + 1);
      continue;
    }
    if (request.do === "owned") {
      const { at, of, id, rid } = request;
      numbers.push(codes.owned, claimKeys.push(claimKey(of, id)), at, rids.push(rid));
      continue;
    }
    const isOnRecord = looksAtRecords(request);
    if (isOnRecord && request.do !== "cancel") numbers.push(codes.spanning, attemptNumber(request));
    numbers.push(codes[request.do], request.at);
    switch (request.do) {
      case "decide":
      case "peek":
        if (!isUnder && !isOnRecord) run = request;
        addDeciding(request);
        break;
      case "override":
        addOverriding(request);
        break;
      case "cancel":
        addCancel(request);
        if (request.claim !== undefined) addUnclaiming(request, request.claim);
        break;
      case "adjust":
        numbers.push(request.parts.length);
        for (const adjustment of request.parts) addAdjustment(adjustment);
        for (const [p, { rid, raises, claim }] of request.parts.entries()) {
          const raising = raises ? raisings.raises : raisings.no;
          if (claim !== undefined) addClaimChange(request.keys[p] as string, request.at, rid, claim, raising);
        }
        break;
      case "reset":
        numbers.push(request.parts.length);
    }
  }
  const isPlain =
    heldKeys.length === 0 &&
    recordKeys.length === 0 &&
    claimKeys.length === 0 &&
    !requests.some(({ do: what }) => what === "override");
  if (isPlain) return { keys, argument: `[[${sets.join()}],[${numbers.join()}]]` };
  const terms = [...setNumbers.keys()].map(termsText).join();
  let more = `${keys.length},${JSON.stringify(rids)},[${terms}],${keys.length + heldKeys.length + 1}`;
  if (claimKeys.length > 0) more += `,${claimKeys.length}`;
  return {
    keys: [...keys, ...heldKeys, ...recordKeys, ...claimKeys],
    argument: `[[${sets.join()}],[${numbers.join()}],${more}]`,
  };
}

/** The key of the partition that a claim is kept with. */
function keyIn(
  { keys, parts }: Pick<Deciding, "keys" | "parts">,
  claim: Pick<Claim, "space" | "key">,
): string {
  return keys[parts.findIndex(({ space, key }) => space === claim.space && key === claim.key)] as string;
}

/** Whether the records of attempts are among its keys. */
function looksAtRecords(request: Request): boolean {
  switch (request.do) {
    case "decide":
    case "peek":
      return request.attempt !== undefined;
    case "reset":
      return request.attempts === true;
    default:
      return request.do === "cancel" || request.do === "commit";
  }
}

/** The argument for `script/single.ts`, if the request is plain enough for it. */
function singleMessage(request: Request): Message | undefined {
  if (request.do !== "decide" || request.hold !== undefined || request.parts.length === 0) return undefined;
  const { at, keys, attempt } = request;
  let argument = `[${attempt === undefined ? at : -1 - at}`;
  for (const { limits, needs, spends, override } of request.parts) {
    if (needs.length !== 1 || needs[0] !== 1 || spends[0] !== 1 || override !== undefined) return undefined;
    const text = logText(limits);
    if (text === undefined) return undefined;
    argument += `,${text}`;
  }
  argument += attempt === undefined || attempt === "" ? "]" : `,"${attempt}"]`;
  return { keys: attempt === undefined ? keys : [...keys, ...keys.map(recordsKey)], argument };
}

/** The numbers 5 and 6 are for decisions that consider holds. */
const codes = {
  decide: 0,
  peek: 1,
  adjust: 2,
  reset: 3,
  probe: 4,
  cancel: 7,
  commit: 8,
  under: 9,
  override: 10,
  spanning: 11,
  claim: 12,
  claimed: 13,
  owned: 14,
} as const;
/** `raises` may claim an unknown id. `withItsAttempt` gives an id back only if this attempt claimed it. */
const raisings = { no: 0, raises: 1, withItsAttempt: 2 } as const;
const claimStates = ["running", "done", "unfinished", "nothing"] as const;

/** The largest time that the script can store: in the year 10889. It also means "for good". */
export const latestMs = 2 ** 48 - 1;

function endOf(until = Number.POSITIVE_INFINITY): number {
  return Math.max(1, Math.min(Math.floor(until), latestMs));
}

/** A number for each group; 0 for groups without one. */
function asMany({ groups }: LimitSet, numbers: readonly number[] | undefined): number[] {
  return groups.map((_, g) => numbers?.[g] ?? 0);
}

/** Whether two requests differ only in their partitions and in the ids of their reservations. */
function asksTheSame(one: Deciding, other: Request): other is Deciding {
  if (other.do !== one.do || other.at !== one.at || other.parts.length !== one.parts.length) return false;
  const { parts, hold, attempt, claim } = other as Deciding;
  if (claim !== undefined || attempt !== undefined || hold?.seq !== one.hold?.seq) return false;
  return one.parts.every((charge, c) => {
    const { limits, needs, spends, holds, known, override } = parts[c] as Charge;
    return (
      override === undefined &&
      limits === charge.limits &&
      areEqual(needs, charge.needs) &&
      areEqual(spends, charge.spends) &&
      areEqual(holds, charge.holds) &&
      areEqual(known, charge.known)
    );
  });
}

function areEqual(some: readonly number[] | undefined, others: readonly number[] | undefined): boolean {
  if (some === others) return true;
  if (some === undefined || others === undefined) return false;
  return some.length === others.length && some.every((number, n) => number === others[n]);
}

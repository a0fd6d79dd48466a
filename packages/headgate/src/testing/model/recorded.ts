import type { Claim } from "../../core/claim.ts";
import type { Adjustment, Charge, Hold, Outcome } from "../../core/store.ts";
import { ModelStore, type Place } from "./model-store.ts";
import { coreTransitions, type Transitions } from "./transitions.ts";
import { difference, sharedId } from "./world.ts";

/** A call to a store, as the calling process recorded it. */
export type RecordedCall = (
  | {
      readonly kind: "decide";
      readonly charges: readonly Charge[];
      readonly peek: boolean;
      readonly hold: Hold | undefined;
      readonly claim: Claim | undefined;
    }
  | { readonly kind: "adjust"; readonly adjustments: readonly Adjustment[] }
  | ({ readonly kind: "crash" } & Loss)
) & {
  /** When the call was sent, by a clock that all processes share, in any unit. */
  readonly sentAt: number;
  /**
   * When the answer came. For a call without an answer: when it can no longer arrive. Such a call was applied at one
   * moment between `sentAt` and `endedAt`, or never.
   */
  readonly endedAt: number;
  /** The store's time, ms. */
  readonly now: number;
  /** The answer; absent if none came. */
  readonly outcome?: Outcome;
  /** Whether the process was killed before it had the answer. */
  readonly orphaned?: boolean;
};

/** What a server may have lost when it was killed: the last calls, in the order in which they were applied. */
export interface Loss {
  /** It has everything that it had answered before this moment; `undefined`: it lost everything. */
  readonly keeps: number | undefined;
  /** Whether it has every claim that it had answered, and all that it had applied before it. */
  readonly keepsClaims?: boolean;
  /** The partitions of this server, if others have the rest. */
  readonly places?: readonly Place[];
}

/** How far a store's answers may differ from the model's. */
export interface Tolerance {
  /**
   * Whether the store decides in several slots, each by itself. Its readings may then be of different moments, except
   * those of a peek, and a refusal may be `contended`. A process takes back a decision to which it got no answer. If
   * the process is killed, each slot may or may not have the decision.
   */
  readonly slots?: boolean;
}

interface Known {
  readonly store: ModelStore;
  /** The model's mark for each mark of the store. */
  readonly marks: ReadonlyMap<string, number>;
}

/** A step of the search: some calls have been applied, in an order that explains every answer so far. */
interface Step extends Known {
  readonly call: RecordedCall | undefined;
  readonly before: Step | undefined;
}

const mostSteps = 50_000;
/**
 * The result if the search ended, because of too many simultaneous calls, before it found an order or excluded every
 * order.
 */
export const undecided = `Not decided within ${mostSteps} steps.`;

/**
 * Looks for an order of the calls in which the model gives the recorded answers. Each call takes effect at one moment
 * between its sending and its answer; a call without an answer took effect once, or never.
 *
 * The search is Wing and Gong's, with Lowe's memory of visited states ("Testing for linearizability", 2016).
 *
 * @returns `undefined` if there is such an order; `undecided`; otherwise the first call that no order explains.
 */
export function unexplained(
  places: readonly Place[],
  calls: readonly RecordedCall[],
  { slots = false }: Tolerance = {},
  transitions: Transitions = coreTransitions,
): string | undefined {
  const bySending = (slots ? calls.flatMap(slotsOf) : [...calls]).sort(
    (one, other) => one.sentAt - other.sentAt,
  );
  const isDone = bySending.map(() => false);
  const isSure = bySending.map((call) => call.kind === "crash" || call.outcome !== undefined);
  const sure = isSure.filter(Boolean).length;
  const twinOf = twinsOf(bySending);
  const seen = new Set<string>();
  let steps = 0;
  let furthest = { done: -1, what: "" };

  /**
   * @param from the index before which every call is done; `latest` is when the latest of the calls that are done was
   *   sent.
   */
  function search(step: Step, from: number, done: number, latest: number): boolean {
    let first = from;
    while (first < bySending.length && isDone[first]) first += 1;
    let deadline = Number.POSITIVE_INFINITY;
    const next: number[] = [];
    for (let n = first; n < bySending.length; n += 1) {
      const { sentAt, endedAt } = bySending[n] as RecordedCall;
      // All further calls were sent after an answer that is not explained yet.
      if (sentAt > deadline) break;
      if (isDone[n]) continue;
      next.push(n);
      if (isSure[n]) deadline = Math.min(deadline, endedAt);
    }
    if (done === sure) return true;
    const usable = next
      // A call without an answer that could no longer arrive when another was sent was not applied after that one.
      .filter((n) => isSure[n] || (endOf(n) >= latest && isFirst(n)))
      // Try calls with an answer first: most calls without an answer were not applied yet.
      .sort((a, b) => Number(isSure[b]) - Number(isSure[a]) || endOf(a) - endOf(b));
    const state = keyOf(places, step);
    const key = `${usable.join()}|${first}|${state}`;
    if (seen.has(key)) return false;
    seen.add(key);
    const ways: { n: number; reached: Step }[] = [];
    for (const n of usable) {
      steps += 1;
      if (steps > mostSteps) return false;
      const call = bySending[n] as RecordedCall;
      for (const reached of apply(step, call, places, slots, transitions)) {
        if (typeof reached === "string") {
          if (isSure[n] && done > furthest.done) furthest = { done, what: describe(call, n, reached) };
          continue;
        }
        const isIdle = keyOf(places, reached) === state;
        // A call that was applied without effect is the same as a call that was not applied yet.
        if (isIdle && !isSure[n]) continue;
        ways.push({ n, reached });
        // An answer that is explained and changes nothing can be placed here, unless this ends the time of other calls.
        if (
          isIdle &&
          call.kind !== "crash" &&
          usable.every((other) => isSure[other] || endOf(other) >= call.sentAt)
        )
          return follow({ n, reached });
      }
    }
    return ways.some(follow);

    function follow({ n, reached }: { n: number; reached: Step }): boolean {
      isDone[n] = true;
      const { sentAt } = bySending[n] as RecordedCall;
      if (search(reached, first, done + (isSure[n] ? 1 : 0), Math.max(latest, sentAt))) return true;
      isDone[n] = false;
      return false;
    }
  }
  const endOf = (n: number) => (bySending[n] as RecordedCall).endedAt;
  const isFirst = (n: number) => twinOf[n] === undefined || isDone[twinOf[n]];

  const begin = { store: new ModelStore(transitions), marks: new Map(), call: undefined, before: undefined };
  if (search(begin, 0, 0, 0)) return undefined;
  if (steps > mostSteps) return undecided;
  return `No order of the calls explains the answers. Furthest: ${furthest.what}`;
}

/**
 * Returns for each call without an answer the last one before it that asked for the same. A call is sent again after its
 * time limit, and it does not matter which of the two was applied: the search tries the first.
 */
function twinsOf(bySending: readonly RecordedCall[]): (number | undefined)[] {
  const last = new Map<string, number>();
  return bySending.map((call, n) => {
    if (call.outcome !== undefined || call.kind === "crash") return undefined;
    const { sentAt, ...same } = call;
    const key = JSON.stringify(same);
    const twin = last.get(key);
    last.set(key, n);
    return twin;
  });
}

/** Returns the parts of a call for each slot: without an answer, each slot may or may not have applied its part. */
function slotsOf(call: RecordedCall): RecordedCall[] {
  if (call.outcome !== undefined || call.kind === "crash") return [call];
  if (call.kind === "adjust")
    return call.adjustments.map((adjustment) => ({ ...call, adjustments: [adjustment] }));
  if (call.charges.length === 1) return [call];
  return call.orphaned ? call.charges.map((charge) => ({ ...call, charges: [charge] })) : [];
}

function describe(call: RecordedCall, n: number, what: string): string {
  const rid =
    call.kind === "decide" ? call.hold?.rid : call.kind === "adjust" ? call.adjustments[0]?.rid : "";
  return `call ${n}, ${call.kind} of ${rid} at ${call.now}: ${what}`;
}

/** Returns the steps to which a call can lead, or a text if the model does not give this answer. */
function apply(
  step: Step,
  call: RecordedCall,
  places: readonly Place[],
  slots: boolean,
  transitions: Transitions,
): (Step | string)[] {
  if (call.kind === "crash") return afterCrash(step, call, transitions);
  const store = step.store.copy();
  const { outcome, now } = call;
  let wanted: Outcome;
  let rid: string;
  if (call.kind === "decide") {
    rid = call.hold?.rid ?? "";
    wanted = store.decide(call.charges, now, call.peek, call.hold, undefined, call.claim);
  } else {
    rid = call.adjustments[0]?.rid ?? "";
    wanted = store.adjust(translate(step.marks, call.adjustments), now);
  }
  if (outcome === undefined) {
    // A call that would have changed nothing need not have been applied.
    const isIdle = !wanted.admitted && wanted.known === undefined;
    return isIdle ? [] : [{ store, marks: step.marks, call, before: step }];
  }
  const isPeek = call.kind === "decide" && call.peek;
  const what = slots && !isPeek ? slotDifference(wanted, outcome, places) : difference(wanted, outcome, true);
  if (what !== undefined) return [what];
  // A refusal only changes the time.
  if (slots && !outcome.admitted && wanted.admitted) return [{ ...step, call, before: step }];
  return [{ store, marks: note(step.marks, rid, wanted, outcome), call, before: step }];
}

/**
 * Returns what is wrong with the answer of a store that decides in several slots: an admission that the model refuses,
 * more remaining units than there are, or a refusal that the model does not give and that is not `contended`.
 */
function slotDifference(wanted: Outcome, got: Outcome, places: readonly Place[]): string | undefined {
  if (got.contended && !got.admitted) return undefined;
  const strip = ({ admitted, refusedFor, known, attempt, now }: Outcome): Outcome => ({
    admitted,
    now,
    readings: [],
    marks: [],
    ...(refusedFor && { refusedFor }),
    ...(known && { known }),
    ...(attempt && { attempt }),
  });
  const what = difference(strip(wanted), strip(got), true);
  if (what !== undefined) return what;
  for (const p of places.keys()) {
    for (const [l, { remaining }] of (got.readings[p] ?? []).entries()) {
      const { quota } = places[p]?.limits.limits[l] ?? { quota: 0 };
      if (remaining > quota) return `${remaining} of ${quota} remaining`;
    }
  }
  return undefined;
}

/** Returns the steps after a crash: a server that lost its last writes has the state of an earlier moment. */
function afterCrash(
  step: Step,
  call: RecordedCall & { readonly kind: "crash" },
  transitions: Transitions,
): Step[] {
  const { keeps, places } = call;
  const withStateOf = (earlier: Known): Step => {
    if (places === undefined)
      return { store: earlier.store.copy(), marks: earlier.marks, call, before: step };
    const store = step.store.copy();
    for (const place of places) store.restore(place, earlier.store);
    return { store, marks: step.marks, call, before: step };
  };
  if (keeps === undefined) return [withStateOf({ store: new ModelStore(transitions), marks: new Map() })];
  const reached: Step[] = [];
  for (let back: Step | undefined = step; back !== undefined; back = back.before) {
    reached.push(withStateOf(back));
    if (back.call === undefined || back.call.kind === "crash" || isKept(back.call, call)) break;
  }
  return reached;
}

/** Whether a server that was killed must still have this call. */
function isKept(
  call: Exclude<RecordedCall, { kind: "crash" }>,
  { keeps = 0, keepsClaims = false }: Loss,
): boolean {
  if (call.outcome === undefined) return false;
  if (call.endedAt < keeps) return true;
  return keepsClaims && call.kind === "decide" && call.claim !== undefined && call.outcome.admitted;
}

function markKey(rid: string, place: number, group: number, at: number, mark: number): string {
  return `${rid} ${place} ${group} ${at} ${mark}`;
}

function note(marks: Known["marks"], rid: string, wanted: Outcome, got: Outcome): Known["marks"] {
  if (wanted.marks.flat().every((mark) => mark === 0)) return marks;
  const noted = new Map(marks);
  for (const [p, groups] of wanted.marks.entries())
    for (const [g, mark] of groups.entries())
      noted.set(markKey(rid, p, g, got.now, got.marks[p]?.[g] ?? 0), mark);
  return noted;
}

function translate(marks: Known["marks"], adjustments: readonly Adjustment[]): Adjustment[] {
  return adjustments.map((adjustment, p) => ({
    ...adjustment,
    refunds: adjustment.refunds.map((refund) => {
      const { group, chargedAt, mark } = refund;
      return { ...refund, mark: marks.get(markKey(adjustment.rid, p, group, chargedAt, mark)) ?? mark };
    }),
  }));
}

const keys = new WeakMap<ModelStore, string>();

/** Returns a key for a state. The store of a step no longer changes. */
function keyOf(places: readonly Place[], { store }: Known): string {
  const known = keys.get(store);
  if (known !== undefined) return known;
  const kept = places.map((place) => {
    const { entries } = store.holdingsOf(place, 0);
    const rows = [...store.rowsOf(place)].map(([id, row]) => [id, ...row].join());
    const claim = JSON.stringify(store.claimOf(place, sharedId) ?? "");
    const holds = [...entries].map(
      ([rid, { seq, ended, lapsed, expiresAt, used, held, last }]) =>
        `${rid} ${seq} ${ended} ${lapsed} ${expiresAt} ${[...used]} ${[...held]} ${JSON.stringify([...last])}`,
    );
    return `${rows.join("/")};${holds.sort().join("/")};${claim}`;
  });
  const key = kept.join("|");
  keys.set(store, key);
  return key;
}

import type { Claim } from "../../core/claim.ts";
import { heldBy } from "../../core/holdings.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import type { Override, OverrideTerms } from "../../core/override.ts";
import type { Adjustment, Charge, Hold, Outcome, Reading, Refund, Store } from "../../core/store.ts";
import { ModelStore, type Place, type UsedChange } from "./model-store.ts";
import { coreTransitions, type Transitions } from "./transitions.ts";

/** How a run of the model is set up. */
export interface Setting {
  /** The partitions that the clients share. */
  readonly places: readonly Place[];
  /** The unit that is held. Requests are spent immediately, if the limits count them. */
  readonly unit: string;
  readonly clients: number;
  /** How far time moves in one step, ms. */
  readonly tickMs: number;
  /**
   * How long after it was sent a message may still arrive, ms. This is shorter than the time for which ended
   * reservations are remembered.
   */
  readonly longestCallMs: number;
  /** The maximum number of calls of a client. */
  readonly calls: number;
  /** How many units a client asks for at first. */
  readonly asks: readonly number[];
  readonly transitions?: Transitions;
  readonly faults?: ClientFaults;
  /** A store that gets the same calls and must give the same answers. */
  readonly mirror?: Store;
  /** Gets every call to the store, with the model's answer. */
  readonly record?: (call: Call) => void;
  /** Whether partitions are reset during the run. */
  readonly resets?: boolean;
  /** Limits by which an operator may override the first partition: the same as its own, with other quotas. */
  readonly overriding?: readonly LimitSet[];
  /** Whether all clients answer the same message. They claim its id with the first partition. */
  readonly claims?: boolean;
}

/** One call to a store. */
export type Call = { readonly now: number } & (
  | {
      readonly kind: "decide";
      readonly charges: readonly Charge[];
      readonly hold: Hold;
      readonly claim: Claim | undefined;
      readonly outcome: Outcome;
    }
  | { readonly kind: "adjust"; readonly adjustments: readonly Adjustment[]; readonly outcome: Outcome }
  | { readonly kind: "override"; readonly place: Place; readonly terms: OverrideTerms | undefined }
  | { readonly kind: "reset"; readonly places: readonly Place[] }
);

/** Faults of a client that the model must find. */
export interface ClientFaults {
  /** The client reports while the answer to an extension is still on its way. */
  readonly overlaps?: boolean;
  /** The client treats an answer that came after its lease as a new lease. */
  readonly trustsLateAnswers?: boolean;
}

export type Phase = "idle" | "asking" | "open" | "ending" | "refused" | "over" | "crashed";

/** One reservation as its client sees it, plus the truth, which only the model knows. */
export interface Client {
  readonly rid: string;
  phase: Phase;
  /**
   * Whether the client gave up before it was admitted, or was refused after a second try, so that nothing was served.
   */
  cancelled: boolean;
  /** The number of the client's last call. */
  seq: number;
  /** The calls whose answer the client still awaits. */
  awaited: readonly number[];
  /** Whether the client asked a second time because no answer came. */
  doubted: boolean;
  /** When the client sent the first unanswered call; 0 if there is none. */
  doubtSince: number;
  /**
   * Whether the client does not know if its last report was charged. Only the answer to another report, or to its end,
   * shows it.
   */
  inDoubt: boolean;
  /** The charge that the client knows. */
  known: number;
  knownRequests: number;
  refunds: readonly (readonly Refund[])[];
  /** The override under which the client was admitted, as far as it knew. */
  override: Override | undefined;
  /** The number of the client's attempt at the id. */
  attempt: number;
  /** Whether the client ended with an answer. */
  served: boolean;
  /** The time until which the client relies on being the only owner of its id. */
  ownsUntil: number;
  /** How much the client may use in total: used plus held. */
  allowed: number;
  /** The time until which the client relies on its lease. */
  trustedUntil: number;
  /** The true use. */
  used: number;
  /** The requests that should be charged: 1 once admitted, 0 again if nothing was served. */
  requests: number;
  /** When the store last received a new call from the client, by partition. */
  heard: readonly { readonly at: number; readonly seq: number }[];
  /** The charges, by partition and unit. */
  charged: Readonly<Record<string, number>>;
  admissions: number;
  /** How many unused units the client has reported, to be corrected later. */
  overstated: number;
}

/** A call on its way. It may arrive at any time until it is too old, before earlier calls, and several times. */
export interface Message {
  readonly client: number;
  readonly seq: number;
  readonly kind: "ask" | "extend" | "report" | "end";
  readonly sentAt: number;
  /** How often the message may still arrive: an ask as often as it was sent, other calls without a limit. */
  readonly copies: number;
  readonly charges?: readonly Charge[];
  readonly claim?: Claim | undefined;
  readonly adjustments?: readonly Adjustment[];
}

/** Units charged at one moment in one partition, and how many of them had not been held. */
export interface Charged {
  readonly place: number;
  readonly rid: string;
  readonly unit: string;
  readonly at: number;
  amount: number;
  debt: number;
}

/** Units used at one moment. `lost`: not reported before the lease ended. `over`: more than was held. */
export interface Used {
  readonly rid: string;
  readonly at: number;
  readonly fate: "held" | "lost" | "over";
}

/** The store, the clients, the messages between them, and the truth. */
export interface World {
  readonly setting: Setting;
  now: number;
  readonly store: ModelStore;
  clients: Client[];
  net: Message[];
  ledger: Charged[];
  uses: Used[];
  /** How often an operator has overridden the first partition. */
  overrides: number;
  /** The invariant that an operation has broken, in words. */
  broken: string | undefined;
}

/** A whole number of days, so that windows of every kind begin here. */
export const start = Date.UTC(2026, 0, 1);

export function newWorld(setting: Setting): World {
  return {
    setting,
    now: start,
    store: new ModelStore(setting.transitions ?? coreTransitions),
    clients: Array.from({ length: setting.clients }, (_, n) => newClient(setting, n)),
    net: [],
    ledger: [],
    uses: [],
    overrides: 0,
    broken: undefined,
  };
}

function newClient({ places }: Setting, n: number): Client {
  return {
    rid: n.toString(16).padStart(24, "0"),
    phase: "idle",
    cancelled: false,
    seq: 0,
    awaited: [],
    doubted: false,
    doubtSince: 0,
    inDoubt: false,
    known: 0,
    knownRequests: 0,
    refunds: places.map(() => []),
    override: undefined,
    attempt: 1,
    served: false,
    ownsUntil: 0,
    allowed: 0,
    trustedUntil: 0,
    used: 0,
    requests: 0,
    heard: places.map(() => ({ at: 0, seq: 0 })),
    charged: {},
    admissions: 0,
    overstated: 0,
  };
}

/** @param sharesStore whether to share the store, because the copy will not change the store or the time. */
export function copyWorld(world: World, sharesStore = false): World {
  return {
    setting: world.setting,
    now: world.now,
    store: sharesStore ? world.store : world.store.copy(),
    clients: world.clients.map((client) => ({ ...client })),
    net: [...world.net],
    ledger: world.ledger.map((one) => ({ ...one })),
    uses: [...world.uses],
    overrides: world.overrides,
    broken: world.broken,
  };
}

/** Returns the shortest lease of the partitions, on which a client can rely. */
export function leaseOf({ places }: Setting): number {
  return Math.min(...places.map(({ limits }) => limits.leaseMs));
}

export function longestWindowOf({ places }: Setting): number {
  return Math.max(...places.flatMap(({ limits }) => limits.limits.map(({ windowMs }) => windowMs)));
}

export function chargedTo(client: Client, place: number, unit: string): number {
  return client.charged[`${place} ${unit}`] ?? 0;
}

/** Applies a message to the store and records the charges. */
export function apply(world: World, message: Message): Outcome {
  const { setting, store, now } = world;
  const client = world.clients[message.client] as Client;
  const heldBefore = setting.places.map((place) => holdOf(world, place, client.rid));
  const changes: UsedChange[] = [];
  const journal = (change: UsedChange) => changes.push(change);
  const { charges, claim, adjustments = [], seq, kind } = message;
  const hold = { rid: client.rid, seq };
  const outcome =
    charges === undefined
      ? store.adjust(adjustments, now, journal)
      : store.decide(charges, now, false, hold, journal, claim);
  if (setting.mirror !== undefined)
    world.broken ??= difference(outcome, mirrored(setting.mirror, message, client.rid, now));
  setting.record?.(
    charges === undefined
      ? { kind: "adjust", now, adjustments, outcome }
      : { kind: "decide", now, charges, hold, claim, outcome },
  );
  for (const change of changes) note(world, client, change, heldBefore);
  if (outcome.admitted) {
    client.heard = client.heard.map((heard) => {
      const isNew = seq > heard.seq || kind === "end";
      return isNew ? { at: now, seq: Math.max(seq, heard.seq) } : heard;
    });
  }
  return outcome;
}

function mirrored(
  store: Store,
  { charges, claim, adjustments, seq }: Message,
  rid: string,
  now: number,
): Outcome {
  const outcome =
    charges === undefined
      ? store.adjust(adjustments ?? [], now)
      : store.decide(charges, now, false, { rid, seq }, claim);
  if (outcome instanceof Promise)
    throw new TypeError("The model can only be compared with stores that answer synchronously.");
  return outcome;
}

/** @param opaque whether only the store can read its marks, so that they cannot be compared. */
export function difference(wanted: Outcome, got: Outcome, opaque = false): string | undefined {
  const [mine, theirs] = [wanted, got].map(({ admitted, now, readings, marks, refusedFor, known, attempt }) =>
    JSON.stringify({
      admitted,
      now,
      readings: readings.map((limits) => limits.map(plain)),
      ...(opaque ? {} : { marks }),
      refusedFor,
      known,
      attempt,
    }),
  );
  return mine === theirs ? undefined : `The store answers ${theirs}, the model ${mine}`;
}

/** Converts numbers to text, because JSON has no `Infinity`. */
function plain({ remaining, waitMs, resetMs, holders = false }: Reading): (string | boolean)[] {
  return [`${remaining}`, `${waitMs}`, `${resetMs}`, holders];
}

function note(
  world: World,
  client: Client,
  { place, unit, change }: UsedChange,
  before: readonly number[],
): void {
  const { setting, now } = world;
  const at = setting.places.findIndex(({ space, key }) => space === place.space && key === place.key);
  const id = `${at} ${unit}`;
  client.charged = { ...client.charged, [id]: (client.charged[id] ?? 0) + change };
  if (change > 0) {
    const wasHeld = unit === setting.unit ? (before[at] ?? 0) - holdOf(world, place, client.rid) : change;
    const debt = Math.max(0, change - Math.max(0, wasHeld));
    world.ledger.push({ place: at, rid: client.rid, unit, at: now, amount: change, debt });
    return;
  }
  let left = -change;
  for (const one of world.ledger.toReversed()) {
    if (one.place !== at || one.rid !== client.rid || one.unit !== unit) continue;
    const given = Math.min(left, one.amount);
    one.amount -= given;
    one.debt = Math.min(one.debt, one.amount);
    left -= given;
  }
  forgetEmptyWindow(world, at, unit);
}

/** Forgets a window from first use once nothing in it counts. */
function forgetEmptyWindow(world: World, place: number, unit: string): void {
  const [limit] = world.setting.places[place]?.limits.limits.filter((one) => one.unit === unit) ?? [];
  if (limit?.from !== "first-use") return;
  const mine = world.ledger.filter((one) => one.place === place && one.unit === unit);
  let opening = mine[0];
  for (const one of mine) if (opening && one.at >= opening.at + limit.windowMs) opening = one;
  const isOfLast = (one: Charged) => mine.includes(one) && opening !== undefined && one.at >= opening.at;
  if (world.ledger.every((one) => !isOfLast(one) || one.amount === 0))
    world.ledger = world.ledger.filter((one) => !isOfLast(one));
}

/** Returns the limits in force in a partition. */
export function limitsIn({ setting, store, now }: World, place: Place): LimitSet {
  return limitsUnder(setting, place, store.overrideOf(place, now));
}

/** Returns the limits of a partition under an override. The override's text is the index of the limits. */
export function limitsUnder(setting: Setting, place: Place, override: Override | undefined): LimitSet {
  return override === undefined
    ? place.limits
    : (setting.overriding?.[Number(override.limits)] ?? place.limits);
}

/** Returns the partitions, with the limits that admitted a client. */
export function placesOf(setting: Setting, { override }: Client): Place[] {
  return setting.places.map((place, p) =>
    p === 0 ? { ...place, limits: limitsUnder(setting, place, override) } : place,
  );
}

/** The id of the message that all clients answer. */
export const sharedId = "m1";

export function holdOf(world: World, place: Place, rid: string): number {
  return heldBy(world.store.holdingsOf(place, world.now), rid, world.setting.unit);
}

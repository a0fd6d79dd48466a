import { heldBy } from "../../core/holdings.ts";
import type { Adjustment, Charge, Outcome, Reading, Refund, Store } from "../../core/store.ts";
import { ModelStore, type Place, type UsedChange } from "./model-store.ts";
import { coreTransitions, type Transitions } from "./transitions.ts";

/** What a model's run is about. */
export interface Setting {
  /** The partitions that the clients share. */
  readonly places: readonly Place[];
  /** The unit that is held. Requests, where the limits count them, are spent at once. */
  readonly unit: string;
  readonly clients: number;
  /** How far time moves in one step, ms. */
  readonly tickMs: number;
  /** So long after it was sent, a message may still arrive, ms. Shorter than what has ended is remembered. */
  readonly longestCallMs: number;
  /** How many calls a client makes at most. */
  readonly calls: number;
  /** How many units a client asks for at first. */
  readonly asks: readonly number[];
  readonly transitions?: Transitions;
  readonly faults?: ClientFaults;
  /** A store that every call is made of too, and that has to answer the same. */
  readonly mirror?: Store;
  /** Whether partitions are reset in between. */
  readonly resets?: boolean;
}

/** What a client may do wrong, to see that the model notices. */
export interface ClientFaults {
  /** Sends a report while the answer to an extension is still on its way. */
  readonly overlaps?: boolean;
  /** Takes an answer that came after its lease for a new lease. */
  readonly trustsLateAnswers?: boolean;
}

export type Phase = "idle" | "asking" | "open" | "ending" | "refused" | "over" | "crashed";

/** One reservation, as whoever holds it sees it; and what is true of it, which only the model knows. */
export interface Client {
  readonly rid: string;
  phase: Phase;
  /** It gave up before it was admitted, or was refused after a second try: nothing was served. */
  cancelled: boolean;
  /** The number of its last call. */
  seq: number;
  /** The calls that it still awaits an answer to. */
  awaited: readonly number[];
  /** It asked a second time, as no answer came. */
  doubted: boolean;
  /** When it sent the first call since the last answer; 0 where none is unanswered. */
  doubtSince: number;
  /** It does not know whether its last report was charged: only the answer to another, or to its end, says that. */
  inDoubt: boolean;
  /** What it knows to be charged. */
  known: number;
  knownRequests: number;
  refunds: readonly (readonly Refund[])[];
  /** How much it may use in all: what is used and what is held. */
  allowed: number;
  /** Until then it trusts its lease. */
  trustedUntil: number;
  /** What it has truly used. */
  used: number;
  /** What the service truly owes for it: 1 once admitted, 0 again if nothing was served. */
  requests: number;
  /** When the store last heard something new from it, by partition. */
  heard: readonly { readonly at: number; readonly seq: number }[];
  /** What is charged for it, by partition and unit. */
  charged: Readonly<Record<string, number>>;
  admissions: number;
  /** How many units it has reported that it had not used, to be corrected. */
  overstated: number;
}

/** A call on its way. It may arrive at any time until it is too old, before others that were sent earlier, and twice. */
export interface Message {
  readonly client: number;
  readonly seq: number;
  readonly kind: "ask" | "extend" | "report" | "end";
  readonly sentAt: number;
  /** How often it may still arrive; an ask as often as it was sent, everything else as often as it likes. */
  readonly copies: number;
  readonly charges?: readonly Charge[];
  readonly adjustments?: readonly Adjustment[];
}

/** Units charged at one moment in one partition, and how many of them were not held before. */
export interface Charged {
  readonly place: number;
  readonly rid: string;
  readonly unit: string;
  readonly at: number;
  amount: number;
  debt: number;
}

/** Units truly used at one moment. `lost`: not reported before their lease was over; `over`: beyond what was held. */
export interface Used {
  readonly rid: string;
  readonly at: number;
  readonly fate: "held" | "lost" | "over";
}

/** The store, the clients, what is on its way between them, and what is true. */
export interface World {
  readonly setting: Setting;
  now: number;
  readonly store: ModelStore;
  clients: Client[];
  net: Message[];
  ledger: Charged[];
  uses: Used[];
  /** What an operation has broken, in words. */
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

/** @param sharesStore where the copy will leave the store and the time as they are. */
export function copyWorld(world: World, sharesStore = false): World {
  return {
    setting: world.setting,
    now: world.now,
    store: sharesStore ? world.store : world.store.copy(),
    clients: world.clients.map((client) => ({ ...client })),
    net: [...world.net],
    ledger: world.ledger.map((one) => ({ ...one })),
    uses: [...world.uses],
    broken: world.broken,
  };
}

/** The shortest lease of its partitions: what a client can trust in. */
export function leaseOf({ places }: Setting): number {
  return Math.min(...places.map(({ limits }) => limits.leaseMs));
}

export function longestWindowOf({ places }: Setting): number {
  return Math.max(...places.flatMap(({ limits }) => limits.limits.map(({ windowMs }) => windowMs)));
}

export function chargedTo(client: Client, place: number, unit: string): number {
  return client.charged[`${place} ${unit}`] ?? 0;
}

/** Applies a message in the store, and notes what is charged. */
export function apply(world: World, message: Message): Outcome {
  const { setting, store, now } = world;
  const client = world.clients[message.client] as Client;
  const heldBefore = setting.places.map((place) => holdOf(world, place, client.rid));
  const changes: UsedChange[] = [];
  const journal = (change: UsedChange) => changes.push(change);
  const { charges, adjustments, seq, kind } = message;
  const outcome =
    charges === undefined
      ? store.adjust(adjustments ?? [], now, journal)
      : store.decide(charges, now, false, { rid: client.rid, seq }, journal);
  if (setting.mirror !== undefined)
    world.broken ??= difference(outcome, mirrored(setting.mirror, message, client.rid, now));
  for (const change of changes) note(world, client, change, heldBefore);
  if (outcome.admitted) {
    client.heard = client.heard.map((heard) => {
      const isNew = seq > heard.seq || kind === "end";
      return isNew ? { at: now, seq: Math.max(seq, heard.seq) } : heard;
    });
  }
  return outcome;
}

function mirrored(store: Store, { charges, adjustments, seq }: Message, rid: string, now: number): Outcome {
  const outcome =
    charges === undefined
      ? store.adjust(adjustments ?? [], now)
      : store.decide(charges, now, false, { rid, seq });
  if (outcome instanceof Promise) throw new TypeError("The model compares with stores that answer at once.");
  return outcome;
}

function difference(wanted: Outcome, got: Outcome): string | undefined {
  const [mine, theirs] = [wanted, got].map(({ admitted, now, readings, marks, refusedFor }) =>
    JSON.stringify({
      admitted,
      now,
      readings: readings.map((limits) => limits.map(plain)),
      marks,
      refusedFor,
    }),
  );
  return mine === theirs ? undefined : `The store answers ${theirs}, the model ${mine}`;
}

/** As JSON has no infinity. */
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

/** A window from first use exists for as long as something in it counts, whatever opened it. */
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

export function holdOf(world: World, place: Place, rid: string): number {
  return heldBy(world.store.holdingsOf(place, world.now), rid, world.setting.unit);
}

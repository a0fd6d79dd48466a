import { claimKeptMs, mostClaimAttempts } from "../../core/claim.ts";
import type { Limit } from "../../core/limit.ts";
import type { Charge } from "../../core/store.ts";
import { freeAt } from "../oracle.ts";
import type { ModelStore, Place } from "./model-store.ts";
import {
  type Client,
  chargedTo,
  holdOf,
  limitsIn,
  type Message,
  sharedId,
  start,
  type World,
} from "./world.ts";

/** Returns which invariant of the protocol is broken, and how; `undefined` if none is broken. */
export function broken(world: World): string | undefined {
  if (world.broken !== undefined) return world.broken;
  for (const [p, own] of world.setting.places.entries()) {
    const place = { ...own, limits: limitsIn(world, own) };
    const what = brokenPlace(world, p, own) ?? brokenWait(world, p, place) ?? brokenReading(world, p, place);
    if (what !== undefined) return what;
  }
  const what = brokenClaim(world);
  if (what !== undefined) return what;
  for (const client of world.clients) {
    const what = brokenClient(world, client);
    if (what !== undefined) return what;
  }
  return undefined;
}

function brokenPlace(world: World, p: number, place: Place): string | undefined {
  const { setting, now } = world;
  const { entries, held } = world.store.holdingsOf(place, now);
  for (const [rid, entry] of entries) {
    if (entry.held.size === 0) continue;
    const heard = world.clients.find((client) => client.rid === rid)?.heard[p];
    if (heard === undefined || heard.at + place.limits.leaseMs <= now)
      return `5: ${rid} holds units after its lease`;
  }
  for (const [l, own] of place.limits.limits.entries()) {
    // Units that were admitted under a looser override stay charged.
    const others = p > 0 ? [] : (setting.overriding ?? []).map(({ limits }) => limits[l]?.quota ?? 0);
    const limit = { ...own, quota: Math.max(own.quota, ...others) };
    const since = now - limit.windowMs;
    const isUnits = limit.unit === setting.unit;
    let counted = isUnits ? (held.get(limit.unit) ?? 0) : 0;
    let debt = 0;
    if (limit.algorithm === "sliding-window") {
      for (const one of world.ledger) {
        if (one.place !== p || one.unit !== limit.unit || one.at <= since) continue;
        counted += one.amount;
        debt += one.debt;
      }
    }
    const isBound = limit.algorithm === "sliding-window" || limit.algorithm === "concurrent";
    if (isBound && counted > limit.quota + debt)
      return `1: ${counted} used and held of ${limit.quota}, with a debt of ${debt}`;
    const used = world.uses.filter(({ at, fate }) => at > since && fate === "held").length;
    // The maximum that an algorithm admits within one window: see its stated error.
    const most = limit.algorithm === "sliding-window" ? limit.quota : 2 * limit.quota;
    if (isUnits && used > most) return `2: ${used} truly used within a window of ${limit.quota}`;
  }
  return undefined;
}

function brokenClient(world: World, client: Client): string | undefined {
  const { setting, now } = world;
  const { rid, phase, used } = client;
  if (client.admissions > 1) return `3: ${rid} was admitted ${client.admissions} times`;
  const isQuiet = world.net.every((message) => world.clients[message.client] !== client);
  for (const [p, place] of setting.places.entries()) {
    const held = holdOf(world, place, rid);
    const charged = chargedTo(client, p, setting.unit);
    const counts = counted(place, setting.unit);
    if (!counts && charged + held > 0) return `4: ${rid} is charged ${charged} where nothing is counted`;
    if (counts && phase === "open" && now < client.trustedUntil && charged + held < client.allowed)
      return `2: ${rid} trusts in ${client.allowed} units; ${charged} are charged and ${held} held`;
    if (!isQuiet) continue;
    const requests = chargedTo(client, p, "requests");
    if (phase === "crashed" && charged > used + client.overstated)
      return `4: ${rid} crashed; ${charged} are charged of ${used} used`;
    if (phase !== "over" && phase !== "refused") continue;
    const number = client.cancelled || phase === "refused" ? 6 : 4;
    if (held !== 0) return `${number}: ${rid} is ${phase} and quiet, and holds ${held}`;
    if (counts && charged !== used)
      return `${number}: ${rid} is ${phase} and quiet; ${charged} are charged of ${used} used`;
    if (requests !== wantedRequests(place, client))
      return `${number}: ${rid} is ${phase} and quiet; ${requests} requests are charged`;
  }
  return undefined;
}

/** Checks that an id has one owner, and that its request is charged once. */
function brokenClaim({ setting, clients, now }: World): string | undefined {
  if (setting.claims !== true) return undefined;
  const owners = clients.filter(({ phase, ownsUntil }) => phase === "open" && now < ownsUntil);
  if (owners.length > 1) return `7: ${owners.length} requests answer ${sharedId}`;
  if (now - start >= claimKeptMs) return undefined;
  // Only the first of three attempts pays.
  const most = Math.ceil(setting.clients / mostClaimAttempts);
  for (const p of setting.places.keys()) {
    const paid = clients.reduce((sum, client) => sum + chargedTo(client, p, "requests"), 0);
    if (paid > most) return `7: ${paid} requests are charged for ${sharedId}`;
  }
  return undefined;
}

function wantedRequests(place: Place, { requests }: Client): number {
  return counted(place, "requests") ? requests : 0;
}

function counted({ limits }: Place, wanted: string): boolean {
  return limits.groups.some(({ unit }) => unit === wanted);
}

/**
 * Checks that the admitted units were free, according to all charges so far: for a new request under the limits in
 * force, for an extension under the limits that admitted its reservation.
 */
export function brokenAdmission(world: World, { kind, charges = [] }: Message): string | undefined {
  const { setting, now } = world;
  for (const [p, place] of setting.places.entries()) {
    const { held } = world.store.holdingsOf(place, now);
    const { limits } = kind === "ask" ? limitsIn(world, place) : (charges[p]?.limits ?? place.limits);
    for (const limit of limits) {
      const free = freeOf(world, p, place, limit);
      const holds = held.get(limit.unit) ?? 0;
      const invariant = limits === place.limits.limits ? 1 : 9;
      if (holds > free) return `${invariant}: admitted with ${holds} held and ${free} of ${limit.quota} free`;
    }
  }
  return undefined;
}

function freeOf(world: World, p: number, { space, key }: Place, limit: Limit): number {
  if (limit.algorithm === "concurrent") return limit.quota;
  const mine = world.ledger
    .filter((one) => one.place === p && one.unit === limit.unit)
    // A refunded charge still opened its window.
    .filter(({ amount }) => amount > 0 || limit.from === "first-use")
    .map(({ at, unit, amount }) => ({ at, space, key, unit, amount }));
  return freeAt(mine, limit, world.now);
}

const stranger = { rid: "f".repeat(24), seq: 1 };

/**
 * Checks that another caller is admitted only to free units, according to all charges so far, and that a refused caller
 * is admitted at the end of the reported wait, and not 1 ms before.
 */
function brokenWait(world: World, p: number, place: Place): string | undefined {
  const { now, store } = world;
  const free = freeUnits(world, p, place);
  const limits = place.limits.limits.filter(({ unit }) => unit === world.setting.unit);
  if (limits.length === 0) return undefined;
  const quota = Math.min(...limits.map((limit) => limit.quota));
  const isExact = limits.every(({ algorithm }) => algorithm === "sliding-window");
  for (const amount of new Set([1, Math.ceil(quota / 2), quota])) {
    const charges = [chargeOf(world, place, amount)];
    const ask = (at: number, asked: ModelStore) => asked.decide(charges, at, true, stranger);
    const { admitted, refusedFor, readings } = ask(now, store);
    if (refusedFor !== undefined) continue;
    if (admitted && amount > free) return `1: ${amount} would be admitted, and ${free} are free`;
    if (admitted) continue;
    const waits = (readings[0] ?? []).map((reading) => reading.waitMs);
    const waitMs = Math.max(...waits);
    const what = `a wait of ${waitMs} ms for ${amount}`;
    if (!Number.isFinite(waitMs)) return `8: ${what}, which is within the quota`;
    if (isExact && limits.length === waits.length && amount <= free)
      return `8: ${what}, and ${free} are free`;
    if (ask(now + waitMs - 1, store.copy()).admitted) return `8: ${what}: admitted before it`;
    if (!ask(now + waitMs, store.copy()).admitted) return `8: ${what}: refused at its end`;
  }
  return undefined;
}

/** Checks that `remaining` is what is free according to all charges so far, and grows at the reported moment. */
function brokenReading(world: World, p: number, place: Place): string | undefined {
  const { now, store } = world;
  const readingsAt = (at: number, asked: ModelStore) =>
    asked.decide([chargeOf(world, place, 0)], at, true, stranger).readings[0] ?? [];
  for (const [l, { remaining, resetMs }] of readingsAt(now, store).entries()) {
    const limit = place.limits.limits[l] as Limit;
    const held = store.holdingsOf(place, now).held.get(limit.unit) ?? 0;
    const free = Math.max(0, freeOf(world, p, place, limit) - held);
    const what = `${remaining} of ${limit.quota} remaining`;
    const isExact = limit.algorithm === "sliding-window" || limit.algorithm === "concurrent";
    if (isExact ? remaining !== free : remaining > free) return `8: ${what}, and ${free} are free`;
    if (resetMs === 0 && remaining !== limit.quota) return `8: ${what}, which never grows`;
    if (resetMs === 0) continue;
    const leftAt = (at: number) => readingsAt(at, store.copy())[l]?.remaining ?? 0;
    if (leftAt(now + resetMs - 1) > remaining) return `8: ${what}: more before ${resetMs} ms`;
    if (leftAt(now + resetMs) <= remaining) return `8: ${what}: no more in ${resetMs} ms`;
  }
  return undefined;
}

/** Returns how many units are free in all limits, according to all charges so far. */
function freeUnits(world: World, p: number, place: Place): number {
  const { setting, now, store } = world;
  const limits = place.limits.limits.filter(({ unit }) => unit === setting.unit);
  const held = store.holdingsOf(place, now).held.get(setting.unit) ?? 0;
  return Math.min(...limits.map((limit) => freeOf(world, p, place, limit))) - held;
}

function chargeOf({ setting, store, now }: World, place: Place, amount: number): Charge {
  const override = store.overrideOf(place, now);
  const amounts = (held: number, requests: number) =>
    place.limits.groups.map(({ unit }) => {
      if (unit === setting.unit) return held;
      return unit === "requests" ? requests : 0;
    });
  return {
    ...place,
    needs: amounts(amount, 1),
    spends: amounts(0, 1),
    holds: amounts(amount, 0),
    ...(override === undefined ? {} : { override }),
  };
}

import { rememberedMs } from "../../core/holdings.ts";
import type { OverrideTerms } from "../../core/override.ts";
import * as calls from "./calls.ts";
import { brokenAdmission } from "./invariants.ts";
import type { Place } from "./model-store.ts";
import {
  apply,
  type Client,
  chargedTo,
  copyWorld,
  holdOf,
  leaseOf,
  longestWindowOf,
  type Message,
  type World,
} from "./world.ts";

const mostOverrides = 3;

/** One possible next action. */
export interface Action {
  readonly name: string;
  /** Whether the action affects only one client, not the time or the store. */
  readonly isLocal?: boolean;
  /** Changes the given world. */
  run(world: World): void;
}

/** Returns the world after an action. The original does not change. */
export function after(world: World, action: Action): World {
  const next = copyWorld(world, action.isLocal);
  act(next, action);
  return next;
}

/** Changes a world by an action. */
export function act(world: World, action: Action): void {
  action.run(world);
  settle(world);
}

/** All possible next actions. */
export function actionsOf(world: World): Action[] {
  return [
    { name: "time passes", run: tick },
    ...operatorActions(world),
    ...world.clients.flatMap((client, c) => clientActions(world, client, c)),
    ...world.net.flatMap((message, m) => deliveries(world, message, m)),
  ];
}

/** An operator overrides the first partition, or ends the override. */
function operatorActions({ setting, store, now, overrides }: World): Action[] {
  const [place] = setting.places;
  const { overriding = [] } = setting;
  if (place === undefined || overriding.length === 0) return [];
  if (store.overrideOf(place, now) !== undefined)
    return [{ name: "the override is ended", run: (world) => override(world, place, undefined) }];
  if (overrides >= mostOverrides) return [];
  return overriding.map((_, n) => ({
    name: `limits ${n} override`,
    run: (world) => {
      world.overrides += 1;
      override(world, place, { id: world.overrides, limits: `${n}` });
    },
  }));
}

function override(world: World, place: Place, terms: OverrideTerms | undefined): void {
  const { setting, store, now } = world;
  store.override(place, terms, now);
  void setting.mirror?.override?.([place], terms, now);
  setting.record?.({ kind: "override", now, place, terms });
}

function clientActions({ setting, store, now, net }: World, client: Client, c: number): Action[] {
  const { phase, seq, used, allowed } = client;
  const actions: Action[] = [];
  const add = (name: string, run: (world: World) => void) =>
    actions.push({ name: `client ${c} ${name}`, isLocal: true, run });
  const mayCall = seq < setting.calls;
  if (phase === "idle") {
    const known = setting.places[0] && store.overrideOf(setting.places[0], now);
    for (const amount of setting.asks) {
      add(`asks for ${amount}`, (world) => calls.ask(world, c, amount, known));
      // The process may not know the override yet.
      if (known !== undefined)
        add(`asks for ${amount}, not overridden`, (world) => calls.ask(world, c, amount));
    }
  }
  if (phase === "asking") {
    if (!client.doubted) add("asks again", (world) => calls.askAgain(world, c));
    add("gives up", (world) => calls.giveUp(world, c));
  }
  if (phase === "open") {
    const trusts = now < client.trustedUntil;
    if (trusts && used < allowed && setting.unit !== "concurrent")
      add("uses one", (world) => use(world, c, "held"));
    if (mayCall) {
      add("extends by 1", (world) => calls.extend(world, c, 1));
      add("reports", (world) => calls.report(world, c));
    }
    add("ends", (world) => calls.end(world, c, true));
    if (used === 0 && client.known === 0) add("ends with nothing", (world) => calls.end(world, c, false));
  }
  const endIsOnItsWay = net.some((message) => message.client === c && message.kind === "end");
  if (phase === "ending" && !endIsOnItsWay) add("ends again", (world) => calls.endAgain(world, c));
  return actions;
}

/** Delivers a message, with or without its answer. A message that is not delivered is lost once it is too old. */
function deliveries({ clients }: World, message: Message, m: number): Action[] {
  const name = `${message.kind} ${message.seq} of client ${message.client} arrives`;
  const silent = { name: `${name}, unanswered`, run: (world: World) => deliver(world, m, false) };
  if (!clients[message.client]?.awaited.includes(message.seq)) return [silent];
  return [{ name, run: (world) => deliver(world, m, true) }, silent];
}

function deliver(world: World, m: number, answered: boolean): void {
  const message = world.net[m] as Message;
  const client = world.clients[message.client] as Client;
  const heldBefore = heldIn(world, client);
  const outcome = apply(world, message);
  if (message.charges !== undefined && outcome.admitted && heldIn(world, client) > heldBefore) {
    world.broken ??= brokenAdmission(world, message);
    if (message.kind === "ask") client.admissions += 1;
  }
  const copies = message.copies - 1;
  if (copies === 0) world.net.splice(m, 1);
  else world.net[m] = { ...message, copies };
  if (answered && client.phase !== "crashed") calls.receive(world, message, outcome);
}

/** Returns what the first partition holds for the client. All partitions hold the same. */
function heldIn(world: World, { rid }: Client): number {
  const [place] = world.setting.places;
  return place === undefined ? 0 : holdOf(world, place, rid);
}

/** @param fate `over` for a unit beyond the allowed use. */
export function use(world: World, c: number, fate: "held" | "over"): void {
  const client = world.clients[c] as Client;
  client.used += 1;
  world.uses.push({ rid: client.rid, at: world.now, fate });
}

export function tick(world: World): void {
  pass(world, world.setting.tickMs);
}

export function pass(world: World, ms: number): void {
  const { setting } = world;
  world.now += ms;
  const { now } = world;
  world.net = world.net.filter(({ sentAt }) => now - sentAt <= setting.longestCallMs);
  world.store.tidy(now);
  const since = now - longestWindowOf(setting);
  world.uses = world.uses.filter(({ at }) => at > since);
  if (isBoundByStamps(setting)) world.ledger = world.ledger.filter(({ at }) => at > since);
  // A process that has slept for longer than the store remembers reservations counts as crashed.
  const longest = leaseOf(setting) + rememberedMs - setting.longestCallMs;
  for (const client of world.clients) {
    const isSending = client.phase === "open" || client.phase === "asking" || client.phase === "ending";
    if (isSending && client.doubtSince > 0 && now - client.doubtSince >= longest) client.phase = "crashed";
  }
}

/** Whether only what was charged within the window counts; other algorithms remember more. */
function isBoundByStamps({ places }: World["setting"]): boolean {
  return places.every(({ limits }) =>
    limits.limits.every(({ algorithm }) => algorithm === "sliding-window" || algorithm === "concurrent"),
  );
}

/** Marks use that was not reported before its lease ended: it is not charged after a crash. */
function settle(world: World): void {
  const { setting, now } = world;
  for (const client of world.clients) {
    for (const [p, place] of setting.places.entries()) {
      const heard = client.heard[p];
      if (heard === undefined || heard.at + place.limits.leaseMs > now) continue;
      const pending = client.used - chargedTo(client, p, setting.unit) - holdOf(world, place, client.rid);
      markLost(world, client.rid, pending);
    }
  }
}

function markLost(world: World, rid: string, pending: number): void {
  let left = pending;
  world.uses = world.uses
    .toReversed()
    .map((one) => {
      if (one.rid !== rid || left <= 0) return one;
      left -= 1;
      return one.fate === "held" ? { ...one, fate: "lost" as const } : one;
    })
    .toReversed();
}

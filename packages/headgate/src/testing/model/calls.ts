import type { ClaimChange } from "../../core/claim.ts";
import type { Override } from "../../core/override.ts";
import type { Adjustment, Charge, Outcome, Refund } from "../../core/store.ts";
import { type Client, leaseOf, type Message, placesOf, sharedId, type World } from "./world.ts";

/** The calls of a client, and how it handles the answers. */

/** @param override the override in force in the first partition, as far as the client knows. */
export function ask(world: World, c: number, amount: number, override?: Override): void {
  const { setting } = world;
  const client = world.clients[c] as Client;
  client.override = override;
  client.phase = "asking";
  const charges = placesOf(setting, client).map(
    (place, p): Charge => ({
      ...place,
      needs: amountsOf(world, place, amount, 1),
      spends: amountsOf(world, place, 0, 1),
      holds: amountsOf(world, place, amount, 0),
      ...(p > 0 || override === undefined ? {} : { override }),
    }),
  );
  const [first] = setting.places;
  const claim =
    setting.claims === true && first !== undefined
      ? { space: first.space, key: first.key, ...claimed(world) }
      : undefined;
  send(world, c, { kind: "ask", charges, claim });
}

function claimed({ setting }: World) {
  return { id: sharedId, fingerprint: "body", result: "", leaseMs: leaseOf(setting) };
}

/** Sends the same ask again, as if the first message had been lost. */
export function askAgain(world: World, c: number): void {
  const client = world.clients[c] as Client;
  client.doubted = true;
  world.net = world.net.map((message) =>
    message.client === c && message.kind === "ask" ? { ...message, copies: message.copies + 1 } : message,
  );
}

export function extend(world: World, c: number, more: number): void {
  const client = world.clients[c] as Client;
  // Units that were reported but not used go back to the limit, not to this client's hold.
  const total = Math.max(0, client.allowed - Math.min(client.known, client.used)) + more;
  const charges = placesOf(world.setting, client).map(
    (place): Charge => ({
      ...place,
      needs: amountsOf(world, place, more, 0),
      spends: amountsOf(world, place, 0, 0),
      holds: amountsOf(world, place, total, 0),
      known: amountsOf(world, place, client.known, client.knownRequests),
    }),
  );
  send(world, c, { kind: "extend", charges });
}

/** @param over how many unused units the client reports, to be corrected later. */
export function report(world: World, c: number, over = 0): void {
  const { used, allowed, knownRequests } = world.clients[c] as Client;
  adjust(world, c, "report", used + over, knownRequests, Math.max(0, allowed - used - over));
}

/** @param served whether the request is charged: always, unless nothing was used. */
export function end(world: World, c: number, served: boolean): void {
  const client = world.clients[c] as Client;
  client.phase = "ending";
  client.served = served;
  client.requests = served ? client.requests : 0;
  adjust(world, c, "end", client.used, served ? client.knownRequests : 0, 0);
}

/** Sends the end again if no answer came and the first message is too old to arrive. */
export function endAgain(world: World, c: number): void {
  const { used, seq } = world.clients[c] as Client;
  const { served, knownRequests } = world.clients[c] as Client;
  adjust(world, c, "end", used, served ? knownRequests : 0, 0, seq);
}

export function giveUp(world: World, c: number): void {
  const client = world.clients[c] as Client;
  client.cancelled = true;
  end(world, c, false);
}

/** Sends the same totals for every partition in one call. */
function adjust(
  world: World,
  c: number,
  kind: "report" | "end",
  used: number,
  requests: number,
  held: number,
  seq?: number,
): void {
  const client = world.clients[c] as Client;
  const state = kind === "report" ? "running" : client.served ? "done" : "nothing";
  const adjustments = placesOf(world.setting, client).map(
    (place, p): Adjustment => ({
      ...place,
      ...(p > 0 || world.setting.claims !== true
        ? {}
        : {
            claim: { ...claimed(world), attempt: client.attempt, requests: 1, state } satisfies ClaimChange,
          }),
      rid: client.rid,
      seq: seq ?? client.seq + 1,
      ended: kind === "end",
      raises: false,
      known: amountsOf(world, place, client.known, client.knownRequests),
      used: amountsOf(world, place, used, requests),
      held: amountsOf(world, place, held, 0),
      refunds: client.refunds[p] ?? [],
    }),
  );
  send(world, c, { kind, adjustments }, seq);
}

function send(
  world: World,
  c: number,
  message: Pick<Message, "kind" | "charges" | "claim" | "adjustments">,
  again?: number,
): void {
  const client = world.clients[c] as Client;
  const seq = again ?? client.seq + 1;
  client.seq = seq;
  // When a client calls again, it stops waiting for the answer to the previous call.
  const overlaps = world.setting.faults?.overlaps === true && message.kind === "report";
  client.awaited = overlaps ? [...client.awaited, seq] : [seq];
  if (client.doubtSince === 0) client.doubtSince = world.now;
  if (message.kind === "report") client.inDoubt = true;
  const copies = message.kind === "ask" ? 1 : Number.POSITIVE_INFINITY;
  world.net.push({ client: c, seq, sentAt: world.now, copies, ...message });
}

/** Lets the client read an answer. An answer that the client no longer waits for changes nothing. */
export function receive(world: World, message: Message, outcome: Outcome): void {
  const client = world.clients[message.client] as Client;
  if (!client.awaited.includes(message.seq)) return;
  client.awaited = client.awaited.filter((seq) => seq !== message.seq);
  if (message.kind !== "extend") client.inDoubt = false;
  if (!client.inDoubt) client.doubtSince = 0;
  const trusted = message.sentAt + leaseOf(world.setting);
  if (message.kind === "end") {
    client.phase = "over";
    return;
  }
  if (message.kind === "report") {
    const sent = message.adjustments ?? [];
    noteMarks(world, client, outcome, (p, g) => {
      return (sent[p]?.used[g] ?? 0) - (sent[p]?.known[g] ?? 0);
    });
    client.known = totalOf(world, sent[0]?.used ?? []);
    // If the lease ended before the answer came, other clients may have got the units.
    const isLate = world.now >= client.trustedUntil && world.setting.faults?.trustsLateAnswers !== true;
    if (!isLate) client.trustedUntil = Math.max(client.trustedUntil, trusted);
    if (world.now < client.ownsUntil) client.ownsUntil = Math.max(client.ownsUntil, trusted);
    return;
  }
  if (!outcome.admitted) {
    if (message.kind === "extend") return;
    // A second copy of the refused call may still be on its way. Only an end ensures that the copy has no effect.
    if (client.doubted) giveUp(world, message.client);
    else client.phase = "refused";
    return;
  }
  const charges = message.charges ?? [];
  const { attempt = 1 } = outcome;
  // A later attempt at an id does not pay for the request.
  const pays = message.kind !== "ask" || attempt === 1;
  noteMarks(world, client, outcome, (p, g) => (pays ? (charges[p]?.spends[g] ?? 0) : 0));
  client.allowed += totalOf(world, charges[0]?.needs ?? []);
  client.trustedUntil = Math.max(client.trustedUntil, trusted);
  if (message.kind === "ask") {
    client.phase = "open";
    client.attempt = attempt;
    client.ownsUntil = trusted;
    client.requests = pays ? 1 : 0;
    // The store has counted the request, whichever attempt has paid for it.
    client.knownRequests = 1;
  }
}

function noteMarks(
  { setting }: World,
  client: Client,
  { now, marks }: Outcome,
  changeOf: (place: number, group: number) => number,
): void {
  client.refunds = setting.places.map(({ limits }, p) => {
    let refunds: readonly Refund[] = client.refunds[p] ?? [];
    for (const g of limits.groups.keys()) {
      const change = changeOf(p, g);
      if (change > 0)
        refunds = [{ group: g, amount: change, chargedAt: now, mark: marks[p]?.[g] ?? 0 }, ...refunds];
      else if (change < 0) refunds = lessBy(refunds, g, -change);
    }
    return refunds;
  });
}

function lessBy(refunds: readonly Refund[], group: number, amount: number): Refund[] {
  let left = amount;
  return refunds.map((refund) => {
    if (refund.group !== group) return refund;
    const given = Math.min(left, refund.amount);
    left -= given;
    return { ...refund, amount: refund.amount - given };
  });
}

function amountsOf(
  { setting }: World,
  { limits }: { limits: World["setting"]["places"][number]["limits"] },
  held: number,
  requests: number,
): number[] {
  return limits.groups.map(({ unit }) => {
    if (unit === setting.unit) return held;
    return unit === "requests" ? requests : 0;
  });
}

/** Returns the amount of the unit that is held. */
function totalOf({ setting }: World, amounts: readonly number[]): number {
  const groups = setting.places[0]?.limits.groups ?? [];
  const g = groups.findIndex(({ unit }) => unit === setting.unit);
  return amounts[g] ?? 0;
}

import type { Limit } from "../../core/limit.ts";
import type { Adjustment, Charge } from "../../core/store.ts";
import type { Place } from "./model-store.ts";
import { type Client, longestWindowOf, type Message, sharedId, type World } from "./world.ts";

/**
 * Returns a key for the behaviour of a world: worlds with the same key behave the same. Times are relative to now, and
 * the order of clients does not matter.
 */
export function keyOf(world: World): string {
  const clients = world.clients.map((client, c) => keyOfClient(world, client, c)).sort();
  const places = world.setting.places.map((place) => keyOfPlace(world, place));
  places.push(`${world.overrides}`);
  return `${places.join("|")}#${clients.join("#")}`;
}

function keyOfPlace(world: World, place: Place): string {
  const rows: string[] = [];
  const override = world.store.overrideOf(place, world.now);
  if (override !== undefined) rows.push(`by ${override.limits}`);
  const claim = world.store.claimOf(place, sharedId);
  if (claim !== undefined) rows.push(`id ${claim.attempt} ${claim.done} ${claim.until - world.now}`);
  for (const [g, group] of place.limits.groups.entries()) {
    const row = world.store.rowsOf(place).get(group.id);
    if (row === undefined) continue;
    const limit = group.limits[0] as Limit;
    if (limit.algorithm === "sliding-window") {
      const length = row[0] ?? 0;
      const longest = Math.max(...group.limits.map(({ windowMs }) => windowMs));
      for (let n = 3; n < 3 + length; n += 2) {
        const age = world.now - (row[n] as number);
        if (age < longest) rows.push(`${g}:${age}=${(row[n + 1] as number) - (row[n - 1] as number)}`);
      }
    } else {
      rows.push(`${world.now % limit.windowMs}`);
      for (const n of row) rows.push(n > 1e11 ? `t${n - world.now}` : `${n}`);
    }
  }
  return rows.join(",");
}

function keyOfClient(world: World, client: Client, c: number): string {
  const { now, setting, store } = world;
  const { rid, phase } = client;
  const longest = longestWindowOf(setting);
  let seen = "";
  for (const place of setting.places) {
    const entry = store.holdingsOf(place, now).entries.get(rid);
    if (entry === undefined) continue;
    seen += `${entry.seq},${entry.ended},${entry.lapsed},${entry.expiresAt - now}`;
    for (const [unit, amount] of entry.used) seen += `,${unit}${amount}`;
    for (const [unit, { at, amount }] of entry.last)
      seen += `,${unit}${Math.min(now - at, longest)} ${amount}`;
    for (const [unit, amount] of entry.held) seen += `;${unit}${amount}`;
  }
  for (const one of world.ledger)
    if (one.rid === rid) seen += `/${one.place}${one.unit}${now - one.at}=${one.amount}-${one.debt}`;
  for (const one of world.uses) if (one.rid === rid) seen += `/${one.fate}${now - one.at}`;
  const messages: string[] = [];
  for (const message of world.net) if (message.client === c) messages.push(keyOfMessage(message, now));
  const [first] = setting.places;
  if (first !== undefined) {
    if (store.claimOf(first, sharedId)?.rid === rid) seen += "owner";
    if (client.override !== undefined)
      seen +=
        client.override.id === store.overrideOf(first, now)?.id
          ? "under it"
          : `under ${client.override.limits}`;
  }
  const isDone = phase === "over" || phase === "refused" || phase === "crashed";
  if (isDone && messages.length === 0) return `done${seen}`;
  if (messages.length > 1) messages.sort();
  seen += messages.join("+");
  for (const refunds of client.refunds)
    for (const refund of refunds)
      seen += `r${refund.group} ${Math.min(now - refund.chargedAt, longest)} ${refund.amount}`;
  const leases = longestLease(world);
  for (const { at, seq } of client.heard) seen += `h${at === 0 ? "" : Math.min(now - at, leases)} ${seq}`;
  for (const id in client.charged) seen += `c${id}=${client.charged[id]}`;
  const { cancelled, doubted, doubtSince, inDoubt, awaited, trustedUntil } = client;
  const trusted = Math.max(0, trustedUntil - now);
  const doubt = doubtSince === 0 ? "" : `${now - doubtSince}${inDoubt ? "?" : ""}`;
  return `${phase} ${cancelled} ${doubted} ${doubt} ${client.seq} ${awaited.join()} ${client.known} ${client.knownRequests} ${client.allowed} ${trusted} ${client.used} ${client.requests} ${client.attempt} ${Math.max(0, client.ownsUntil - now)} ${client.served} ${client.overstated} ${client.admissions}:${seen}`;
}

const contents = new WeakMap<readonly unknown[], string>();

function keyOfMessage({ seq, kind, sentAt, copies, charges, adjustments }: Message, now: number): string {
  const parts: readonly (Charge | Adjustment)[] = charges ?? adjustments ?? [];
  let content = contents.get(parts);
  if (content === undefined) {
    content = parts
      .map(
        (one) => `${"needs" in one ? one.needs : one.used} ${"holds" in one ? one.holds : ""} ${one.known}`,
      )
      .join();
    contents.set(parts, content);
  }
  return `${kind}${seq} ${now - sentAt} ${copies} ${content}`;
}

function longestLease({ setting }: World): number {
  return Math.max(...setting.places.map(({ limits }) => limits.leaseMs));
}

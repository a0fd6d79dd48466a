import { isIP } from "node:net";
import { z } from "zod";
import { limitChangeKinds } from "../database/schema.ts";

/** Who gives an order, and why: for the log of actions. */
export const attributed = {
  by: z.string().min(1).max(200),
  reason: z.string().max(200).optional(),
};

const timed = {
  /**
   * `you@example.com`, `account:<id>`, `user:<id>` of a header, `visitor:<address>`, or `ip:<address>`; a `*` at the
   * end of the last three matches all with this beginning.
   */
  of: z.string(),
  forMs: z.int().positive().optional(),
  ...attributed,
};

export const limitOrder = z.discriminatedUnion("what", [
  z.object({ action: z.literal("limit"), what: z.literal("list") }),
  z.object({
    action: z.literal("limit"),
    what: z.literal("log"),
    /** How many, the newest first. Default: 50. */
    most: z.int().positive().max(10_000).optional(),
  }),
  z.object({ action: z.literal("limit"), what: z.literal("show"), of: z.string() }),
  z.object({
    action: z.literal("limit"),
    what: z.literal("reset"),
    of: z.string(),
    ...attributed,
  }),
  z.object({ action: z.literal("limit"), what: z.literal("end"), of: z.string(), ...attributed }),
  z.object({ action: z.literal("limit"), what: z.literal("block"), ...timed }),
  z.object({ action: z.literal("limit"), what: z.literal("override"), limits: z.string(), ...timed }),
]);

/** An operator's order to show or change a caller's limits. */
export type LimitOrder = z.output<typeof limitOrder>;

const stands = z.object({
  stands: z.object({
    plan: z.string().nullable(),
    blocked: z.boolean(),
    /**
     * Whether the state comes from the store. If not, the store did not answer, and these are only this process's
     * counts.
     */
    shared: z.boolean(),
    limits: z.array(
      z.object({
        name: z.string(),
        quota: z.number(),
        unit: z.string(),
        remaining: z.number(),
        /** Milliseconds until more is left; `null` if never. */
        resetMs: z.number().nullable(),
      }),
    ),
    overrides: z.array(
      z.object({
        layer: z.string(),
        limits: z.string(),
        /** `null`: until an operator ends it. */
        until: z.number().nullable(),
        reason: z.string().nullable(),
        by: z.string().nullable(),
      }),
    ),
  }),
});

const changes = z.object({
  changes: z.array(
    z.object({
      of: z.string(),
      what: z.enum(limitChangeKinds),
      limits: z.string().nullable(),
      until: z.number().nullable(),
      reason: z.string().nullable(),
      by: z.string().nullable(),
      at: z.number(),
    }),
  ),
});

export const limitOutcome = z.union([stands, changes]);

/** The caller's state afterwards, or the list of changes. */
export type LimitOutcome = z.output<typeof limitOutcome>;

/** @returns a sentence about an invalid caller; `undefined` for a valid one */
export function callerMistake(of: string): string | undefined {
  // A prefix.
  if (/^((ip|visitor):[\da-f]*[.:][\da-f.:]*|user:[!-+\--~]{1,127})\*$/i.test(of)) return undefined;
  if (/^(ip|visitor|user):.*\*$/s.test(of)) {
    return `${JSON.stringify(of)} is not a valid prefix: before the * it should have the beginning of an address or id, such as ip:203.0.113.* or user:acme-*.`;
  }
  const [, address] = /^(?:ip|visitor):(.*)$/s.exec(of) ?? [];
  if (address !== undefined && isIP(withoutPrefix(address)) === 0) {
    return `${JSON.stringify(of)} is not an address: it should be like ip:203.0.113.7 or ip:2001:db8::1, or ip:203.0.113.* for all addresses with this beginning.`;
  }
  if (/^(account:[\w-]{1,64}|user:[!-+\--~]{1,128}|ip:.+|visitor:.+|[^\s@]+@[^\s@]+)$/.test(of))
    return undefined;
  return `${JSON.stringify(of)} is not a caller: it should be an e-mail address, account:<id>, user:<id>, visitor:<address> or ip:<address>.`;
}

/** Removes the `/64` of an IPv6 address, by which it is counted and shown. */
export function withoutPrefix(address: string): string {
  return address.replace(/\/64$/, "");
}

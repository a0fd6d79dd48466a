import { createLimiter } from "../../limiter/limiter.ts";
import { fakeClock } from "../fake-clock.ts";
import { type Conversation, caller, conversation, type Setting } from "./conversation.ts";
import {
  expectPassed,
  expectRefused,
  expectSame,
  quotaFields,
  twoAMinute,
  twoAMinuteSpent,
} from "./expect.ts";
import type { AdapterCaller, AdapterGuard } from "./index.ts";

/** A second guard, with its own limiter. */
function byAddress(limits: string): AdapterGuard[] {
  const layers = [{ name: "address", key: ({ address }: AdapterCaller) => address, limits }];
  return [{ limiter: createLimiter({ name: "chat", layers, clock: fakeClock() }), options: { caller } }];
}

const twice: Setting = { inside: (limiter) => [{ limiter, options: { caller } }] };

/** The tests of several guards on one route. */
export const mounting: Conversation[] = [
  conversation(
    "with two limiters, the fields show both, and the legacy fields show the tighter limiter",
    { options: { legacy: true }, inside: () => byAddress("3/hour") },
    async ({ send }) => {
      const reply = await send({ address: "203.0.113.7" });
      const { "RateLimit-Policy": policy, RateLimit: state, ...rest } = reply.fields;
      expectSame(policy, '"user-per-minute";q=2;w=60, "address-per-hour";q=3;w=3600', "the policy");
      expectSame(state, '"user-per-minute";r=1;t=60, "address-per-hour";r=2;t=3600', "the state");
      expectSame(rest["X-RateLimit-Remaining"], "1", "what remains of the tighter limit");
    },
  ),

  conversation(
    "with two limiters, either can refuse, and the fields show both",
    { inside: () => byAddress("1/hour") },
    async ({ send, answered }) => {
      await send({ address: "203.0.113.7" });
      expectRefused(await send({ address: "203.0.113.7" }), {
        fields: quotaFields(
          '"user-per-minute";q=2;w=60, "address-per-hour";q=1;w=3600',
          '"user-per-minute";r=0;t=60, "address-per-hour";r=0;t=3600',
        ),
        detail: "The limit of 1 request per hour has been reached. Try again in 60 minutes.",
        violated: ["address-per-hour"],
        retryAfterSeconds: 3600,
        affordable: { requests: 0 },
      });
      expectRefused(await send({ address: "203.0.113.8" }), twoAMinuteSpent(60));
      expectSame(answered(), 1, "requests that reach the handler");
    },
  ),

  conversation("a limiter that guards a route twice charges once", twice, async ({ send }) => {
    expectPassed(await send(), twoAMinute(1, 60));
    expectPassed(await send(), twoAMinute(0, 60));
    expectRefused(await send(), twoAMinuteSpent(60));
  }),

  conversation("a limiter that guards a route twice is reported once", twice, async ({ send, errors }) => {
    for (let n = 0; n < 3; n += 1) await send();
    expectSame(errors.length, 1, "reports");
    expectSame(
      /The same limiter .* twice/.test(String(errors[0])),
      true,
      `whether ${errors[0]} names the mistake`,
    );
  }),
];

import { type Conversation, conversation } from "./conversation.ts";
import {
  expectPassed,
  expectRefused,
  expectSame,
  exposed,
  quotaFields,
  twoAMinute,
  twoAMinuteSpent,
} from "./expect.ts";

/** The tests of which requests pass, and of the fields of their responses. */
export const deciding: Conversation[] = [
  conversation("the first request is admitted, with the fields", {}, async ({ send, answered }) => {
    const reply = await send();
    expectPassed(reply, twoAMinute(1, 60));
    expectSame([reply.headers["x-own"], answered()], ["kept", 1], "how often the handler ran");
  }),

  conversation(
    "the remaining quota counts down, and requests are refused when it is spent",
    {},
    async ({ send, answered }) => {
      expectPassed(await send(), twoAMinute(1, 60));
      expectPassed(await send(), twoAMinute(0, 60));
      expectRefused(await send(), twoAMinuteSpent(60));
      expectSame(answered(), 2, "requests that reach the handler");
    },
  ),

  conversation("the reported wait is exact", {}, async ({ send, clock }) => {
    await send();
    clock.advance(20_500);
    await send();
    expectRefused(await send(), twoAMinuteSpent(40));
    clock.advance(39_499);
    expectRefused(await send(), twoAMinuteSpent(1));
    clock.advance(1);
    expectPassed(await send(), twoAMinute(0, 21));
  }),

  conversation("refusals spend nothing", {}, async ({ send, clock }) => {
    await send();
    await send();
    for (let n = 0; n < 10; n += 1) await send();
    clock.advance(60_000);
    expectPassed(await send(), twoAMinute(1, 60));
  }),

  conversation("each caller has its own quota", {}, async ({ send }) => {
    await send({ user: "a" });
    await send({ user: "a" });
    expectRefused(await send({ user: "a" }), twoAMinuteSpent(60));
    expectPassed(await send({ user: "b" }), twoAMinute(1, 60));
  }),

  conversation("no fields are sent if no layer applies", {}, async ({ send }) => {
    for (let n = 0; n < 5; n += 1) expectPassed(await send({ user: null }), {});
  }),

  conversation(
    "the fields list every limit of every layer that applies",
    {
      layers: [
        { name: "user", key: ({ user }) => user, limits: "5/minute; 60/hour" },
        { name: "address", key: ({ address }) => address, limits: "30/minute" },
      ],
    },
    async ({ send }) => {
      const both = await send({ address: "203.0.113.7" });
      expectPassed(
        both,
        quotaFields(
          '"user-per-minute";q=5;w=60, "user-per-hour";q=60;w=3600, "address-per-minute";q=30;w=60',
          '"user-per-minute";r=4;t=60, "user-per-hour";r=59;t=3600, "address-per-minute";r=29;t=60',
        ),
      );
      const one = await send({ user: null, address: "203.0.113.7" });
      expectPassed(one, quotaFields('"address-per-minute";q=30;w=60', '"address-per-minute";r=28;t=60'));
    },
  ),

  conversation(
    "the legacy fields show the tightest limit",
    {
      layers: [{ name: "user", key: ({ user }) => user, limits: "5/minute; 3/hour" }],
      options: { legacy: true },
    },
    async ({ send }) => {
      expectPassed(await send(), {
        ...quotaFields(
          '"user-per-minute";q=5;w=60, "user-per-hour";q=3;w=3600',
          '"user-per-minute";r=4;t=60, "user-per-hour";r=2;t=3600',
        ),
        "Access-Control-Expose-Headers": `${exposed}, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset`,
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "2",
        "X-RateLimit-Reset": "3600",
      });
    },
  ),

  conversation(
    "a window below a second is shown as one second",
    { layers: [{ name: "user", key: ({ user }) => user, limits: [{ quota: 3, windowMs: 250 }] }] },
    async ({ send }) => {
      const reply = await send();
      const name = /^"([^"]+)"/.exec(reply.fields.RateLimit ?? "")?.[1];
      expectPassed(reply, quotaFields(`"${name}";q=3;w=1`, `"${name}";r=2;t=1`));
    },
  ),

  conversation(
    "of simultaneous requests, exactly as many as the quota are admitted",
    {},
    async ({ send }) => {
      const replies = await Promise.all(Array.from({ length: 8 }, () => send()));
      const statuses = replies.map(({ status }) => status).sort();
      expectSame(statuses, [200, 200, 429, 429, 429, 429, 429, 429], "the statuses");
    },
  ),

  conversation(
    "the caller option may be asynchronous",
    { options: { caller: async (read) => ({ user: read("x-user") ?? null, address: null }) } },
    async ({ send }) => {
      expectPassed(await send(), twoAMinute(1, 60));
      expectPassed(await send(), twoAMinute(0, 60));
      expectRefused(await send(), twoAMinuteSpent(60));
    },
  ),

  conversation(
    "fields that are already exposed to scripts stay exposed",
    { fieldsBefore: { "Access-Control-Expose-Headers": "X-Own" } },
    async ({ send }) => {
      const exposing = { "Access-Control-Expose-Headers": `X-Own, ${exposed}` };
      expectPassed(await send(), { ...twoAMinute(1, 60), ...exposing });
      await send();
      const spent = twoAMinuteSpent(60);
      expectRefused(await send(), { ...spent, fields: { ...spent.fields, ...exposing } });
    },
  ),
];

import type { Admission, Admitted } from "../../core/admission.ts";
import { type Conversation, conversation, hello, type Setting } from "./conversation.ts";
import {
  expectPassed,
  expectRefused,
  expectSame,
  quotaFields,
  twoAMinute,
  twoAMinuteSpent,
} from "./expect.ts";

function admitted(admission: Admission | undefined): Admitted {
  if (admission?.admitted !== true) throw new Error("The adapter tells the handler of no admission.");
  return admission;
}

const tokens: Setting = {
  layers: [{ name: "user", key: ({ user }) => user, limits: "100 tokens/minute token-bucket" }],
  options: { cost: (read) => ({ tokens: Number(read("x-tokens")) }) },
};
const tokenPolicy = '"user-tokens-per-minute";q=100;w=60;qu="tokens"';

/** What requests cost, and what becomes of it. */
export const costs: Conversation[] = [
  conversation(
    "requests weigh what they are said to",
    { options: { cost: (read) => ({ requests: Number(read("x-weight")) }) } },
    async ({ send }) => {
      expectPassed(await send({ headers: { "X-Weight": "2" } }), twoAMinute(0, 60));
      expectRefused(await send({ headers: { "X-Weight": "1" } }), twoAMinuteSpent(60));
    },
  ),

  conversation(
    "costs that have to be looked up are",
    { options: { cost: async () => ({ requests: 2 }) } },
    async ({ send }) => {
      expectPassed(await send(), twoAMinute(0, 60));
      expectSame((await send()).status, 429, "the status");
    },
  ),

  conversation("units other than requests are named", tokens, async ({ send }) => {
    expectPassed(
      await send({ headers: { "X-Tokens": "40" } }),
      quotaFields(tokenPolicy, '"user-tokens-per-minute";r=60;t=1'),
    );
    expectRefused(await send({ headers: { "X-Tokens": "70" } }), {
      fields: quotaFields(tokenPolicy, '"user-tokens-per-minute";r=60;t=1'),
      detail: "The limit of 100 tokens per minute has been reached. Try again in 6 seconds.",
      violated: ["user-tokens-per-minute"],
      retryAfterSeconds: 6,
      affordable: { tokens: 60 },
    });
  }),

  conversation(
    "what the handler settles for less shows",
    {
      ...tokens,
      answer: async (admission) => {
        await admitted(admission).settle({ tokens: 10 });
        return hello;
      },
    },
    async ({ send }) => {
      expectPassed(
        await send({ headers: { "X-Tokens": "40" } }),
        quotaFields(tokenPolicy, '"user-tokens-per-minute";r=90;t=1'),
      );
    },
  ),

  conversation(
    "what the handler settles for more shows",
    {
      ...tokens,
      answer: async (admission) => {
        await admitted(admission).settle({ tokens: 130 });
        return hello;
      },
    },
    async ({ send }) => {
      const reply = await send({ headers: { "X-Tokens": "40" } });
      expectSame(/;r=0;/.test(reply.fields.RateLimit ?? ""), true, "whether nothing is left");
      expectSame((await send({ headers: { "X-Tokens": "1" } })).status, 429, "the status in debt");
    },
  ),

  conversation(
    "a refund at once shows",
    {
      answer: (admission) => {
        void admitted(admission).refund();
        return { status: 402, headers: {}, body: "pay" };
      },
    },
    async ({ send }) => {
      for (let n = 0; n < 5; n += 1) {
        expectPassed(await send(), twoAMinute(2, 0), { status: 402, body: "pay" });
      }
    },
  ),

  conversation(
    "a refund after a while shows",
    {
      answer: async (admission) => {
        await new Promise((resolve) => setImmediate(resolve));
        await admitted(admission).refund();
        return { status: 502, headers: {}, body: "nothing was served" };
      },
    },
    async ({ send }) => {
      for (let n = 0; n < 5; n += 1) {
        expectPassed(await send(), twoAMinute(2, 0), { status: 502, body: "nothing was served" });
      }
    },
  ),

  conversation(
    "the handler sees the readings of its request",
    {
      answer: (admission) => {
        const { limits, tightest } = admitted(admission);
        return {
          status: 200,
          headers: {},
          body: `${limits.length} ${tightest?.name} ${tightest?.remaining}`,
        };
      },
    },
    async ({ send }) => {
      expectSame((await send()).body, "1 user-per-minute 1", "what the handler sees");
      expectSame((await send()).body, "1 user-per-minute 0", "what the handler sees");
    },
  ),
];

import type { Admission, Admitted } from "../../core/admission.ts";
import { type Conversation, conversation, type Dialogue, hello, type Setting } from "./conversation.ts";
import {
  AdapterSuiteError,
  expectPassed,
  expectRefused,
  expectSame,
  quotaFields,
  twoAMinute,
  twoAMinuteSpent,
} from "./expect.ts";

function admitted(admission: Admission | undefined): Admitted {
  if (admission?.admitted !== true) throw new Error("The adapter passes no admission to the handler.");
  return admission;
}

const tokens: Setting = {
  layers: [{ name: "user", key: ({ user }) => user, limits: "100 tokens/minute token-bucket" }],
  options: { cost: (read) => ({ tokens: Number(read("x-tokens")) }) },
};
const tokenPolicy = '"user-tokens-per-minute";q=100;w=60;qu="tokens"';

/** The tests of the cost of requests, and of its settlement. */
export const costs: Conversation[] = [
  conversation(
    "requests cost what the cost option returns",
    { options: { cost: (read) => ({ requests: Number(read("x-weight")) }) } },
    async ({ send }) => {
      expectPassed(await send({ headers: { "X-Weight": "2" } }), twoAMinute(0, 60));
      expectRefused(await send({ headers: { "X-Weight": "1" } }), twoAMinuteSpent(60));
    },
  ),

  conversation(
    "the cost option may be asynchronous",
    { options: { cost: async () => ({ requests: 2 }) } },
    async ({ send }) => {
      expectPassed(await send(), twoAMinute(0, 60));
      expectSame((await send()).status, 429, "the status");
    },
  ),

  conversation("the fields name units other than requests", tokens, async ({ send }) => {
    expectPassed(
      await send({ headers: { "X-Tokens": "40" } }),
      // The tokens are held until the response ends or their lease expires.
      quotaFields(tokenPolicy, '"user-tokens-per-minute";r=60;t=30'),
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
    "everything granted is charged if no use was reported when the response ends",
    tokens,
    async (one) => {
      await one.send({ headers: { "X-Tokens": "40" } });
      const limits = await readings(one);
      expectSame([limits?.remaining, limits?.resetMs], [60, 600], "remaining, and seconds until it grows");
    },
  ),

  conversation(
    "a place is free again when the response has ended, with or without a body",
    {
      layers: [{ name: "user", key: ({ user }) => user, limits: "1 concurrent" }],
      answer: (_admission, body) => (body === "empty" ? { status: 204, headers: {}, body: null } : hello),
    },
    async ({ send, limiter }) => {
      for (const body of ["", "", "empty", "", "empty", ""]) {
        const { status } = await send({ method: "POST", body });
        expectSame(status, body === "empty" ? 204 : 200, "the status");
        await untilFree(limiter);
      }
    },
  ),

  conversation(
    "a place is taken while the response streams, and free again when the client hangs up",
    {
      layers: [{ name: "user", key: ({ user }) => user, limits: "1 concurrent" }],
      answer: () => ({ status: 200, headers: { "Content-Type": "text/plain" }, body: endless() }),
    },
    async ({ send, open, limiter }) => {
      for (let n = 0; n < 3; n += 1) {
        const streaming = await open();
        const reader = (streaming.body as ReadableStream<Uint8Array>).getReader();
        await reader.read();
        expectRefused(await send(), {
          fields: quotaFields('"user-concurrent";q=1;w=30;qu="concurrent"', '"user-concurrent";r=0;t=30'),
          detail:
            "The limit of 1 at a time has been reached. Try again when a request in progress ends, at the latest in 30 seconds.",
          violated: ["user-concurrent"],
          retryAfterSeconds: 30,
          waitsFor: "holders",
          affordable: { concurrent: 0 },
        });
        await reader.cancel();
        await untilFree(limiter);
      }
    },
  ),

  conversation(
    "the fields show a settlement below the estimate",
    {
      ...tokens,
      answer: async (admission) => {
        await admitted(admission).end({ tokens: 10 });
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
    "the fields show a settlement above the estimate",
    {
      ...tokens,
      answer: async (admission) => {
        await admitted(admission).end({ tokens: 130 });
        return hello;
      },
    },
    async ({ send }) => {
      const reply = await send({ headers: { "X-Tokens": "40" } });
      expectSame(/;r=0;/.test(reply.fields.RateLimit ?? ""), true, "whether no units are left");
      expectSame((await send({ headers: { "X-Tokens": "1" } })).status, 429, "the status in debt");
    },
  ),

  conversation(
    "the fields show an immediate refund",
    {
      answer: (admission) => {
        void admitted(admission).end("nothing");
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
    "the fields show a later refund",
    {
      answer: async (admission) => {
        await new Promise((resolve) => setTimeout(resolve, 0));
        await admitted(admission).end("nothing");
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
    "the handler can read the readings of its request",
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
      expectSame((await send()).body, "1 user-per-minute 1", "the readings in the handler");
      expectSame((await send()).body, "1 user-per-minute 0", "the readings in the handler");
    },
  ),
];

/** Returns the default user's readings, from the limiter itself. */
async function readings({ limiter }: Dialogue) {
  await untilEnded();
  const { limits } = await limiter.peek({ user: "a", address: null });
  return limits[0];
}

/** Waits a little, because a server notices the end of a response later than the client does. */
async function untilEnded(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Waits until a place is free, for at most 200 turns. */
async function untilFree(limiter: Dialogue["limiter"]): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    if ((await limiter.peek({ user: "a", address: null })).admitted) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new AdapterSuiteError("The place is still held: the request did not end with its response.");
}

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    yield "more";
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

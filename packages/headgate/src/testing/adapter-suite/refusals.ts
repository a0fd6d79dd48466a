import { memoryStore } from "../../stores/memory/index.ts";
import { type Conversation, conversation, type Setting } from "./conversation.ts";
import {
  expectPassed,
  expectRefused,
  expectSame,
  exposed,
  quotaFields,
  twoAMinute,
  twoAMinuteSpent,
} from "./expect.ts";

/** A store that answers asynchronously, like a store over a network. */
function distantStore() {
  const store = memoryStore();
  return {
    ...store,
    decide: async (...question: Parameters<typeof store.decide>) => store.decide(...question),
    adjust: async (...changes: Parameters<typeof store.adjust>) => store.adjust(...changes),
  };
}

function brokenStore() {
  return {
    ...memoryStore(),
    remote: true,
    decide: async () => {
      throw new Error("the store is down");
    },
  };
}

const twoLayers: Setting = {
  layers: [
    { name: "user", key: ({ user }) => user, limits: "1/minute" },
    { name: "address", key: ({ address }) => address, limits: "1/hour" },
  ],
};

/** The tests of responses to refused requests. */
export const refusals: Conversation[] = [
  conversation("if two layers refuse, the longer wait is reported", twoLayers, async ({ send }) => {
    await send({ address: "203.0.113.7" });
    expectRefused(await send({ address: "203.0.113.7" }), {
      fields: quotaFields(
        '"user-per-minute";q=1;w=60, "address-per-hour";q=1;w=3600',
        '"user-per-minute";r=0;t=60, "address-per-hour";r=0;t=3600',
      ),
      detail: "The limit of 1 request per hour has been reached. Try again in 60 minutes.",
      violated: ["user-per-minute", "address-per-hour"],
      retryAfterSeconds: 3600,
      affordable: { requests: 0 },
    });
  }),

  conversation("if one layer refuses, no other layer is charged", twoLayers, async ({ send }) => {
    await send({ user: "a", address: "203.0.113.7" });
    for (let n = 0; n < 3; n += 1) await send({ user: "b", address: "203.0.113.7" });
    expectPassed(
      await send({ user: "b", address: "203.0.113.8" }),
      quotaFields(
        '"user-per-minute";q=1;w=60, "address-per-hour";q=1;w=3600',
        '"user-per-minute";r=0;t=60, "address-per-hour";r=0;t=3600',
      ),
    );
  }),

  conversation("the legacy fields are on refusals too", { options: { legacy: true } }, async ({ send }) => {
    await send();
    await send();
    const spent = twoAMinuteSpent(60);
    expectRefused(await send(), {
      ...spent,
      fields: {
        ...spent.fields,
        "Access-Control-Expose-Headers": `${exposed}, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset`,
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "60",
      },
    });
  }),

  conversation(
    "a cost above the quota is refused without a wait",
    { options: { cost: () => ({ requests: 3 }) } },
    async ({ send }) => {
      expectRefused(await send(), {
        fields: twoAMinute(2, 0),
        detail: "This request asks for more than the limit of 2 requests per minute ever allows.",
        violated: ["user-per-minute"],
        retryAfterSeconds: null,
        affordable: { requests: 2 },
      });
    },
  ),

  conversation(
    "an asynchronous store decides like a synchronous store",
    { store: distantStore },
    async ({ send, clock }) => {
      expectPassed(await send(), twoAMinute(1, 60));
      expectPassed(await send({ method: "POST", body: "x".repeat(100_000) }), twoAMinute(0, 60));
      expectRefused(await send(), twoAMinuteSpent(60));
      clock.advance(60_000);
      expectPassed(await send(), twoAMinute(1, 60));
    },
  ),

  conversation(
    "if the store is down and the outage policy is refuse, the response is a 503",
    {
      layers: [{ name: "user", key: ({ user }) => user, limits: "2/minute", outage: "refuse" }],
      store: brokenStore,
    },
    async ({ send, answered }) => {
      const reply = await send();
      const seconds = Number(reply.fields["Retry-After"]);
      expectSame(Number.isSafeInteger(seconds) && seconds > 0, true, "whether a wait is reported");
      expectSame(
        { status: reply.status, type: reply.headers["content-type"], fields: reply.fields },
        {
          status: 503,
          type: "application/problem+json",
          fields: {
            "Access-Control-Expose-Headers": "Retry-After",
            "Cache-Control": "no-store",
            "Retry-After": String(seconds),
            Vary: "Accept",
          },
        },
        "the refusal",
      );
      expectSame(JSON.parse(reply.body).retry_after_seconds, seconds, "the wait in the body");
      expectSame(answered(), 0, "requests that reach the handler");
    },
  ),
];

import type { Admission } from "../../core/admission.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import {
  type Conversation,
  conversation,
  type Dialogue,
  hello,
  type Setting,
  until,
} from "./conversation.ts";
import { expectPassed, expectRefused, expectSame, twoAMinute, twoAMinuteSpent } from "./expect.ts";

/** A store that answers asynchronously, like a shared store. */
function later(): ReturnType<typeof memoryStore> {
  const store = memoryStore();
  const decide = async (...question: Parameters<typeof store.decide>) => store.decide(...question);
  return { ...store, decide } as never;
}

const slow = { status: 418, headers: { "X-Slow": "1" }, body: "slow down" };

async function spend({ send }: Dialogue): Promise<void> {
  await send();
  await send();
}

const answers: Record<string, Setting> = {
  immediately: { options: { onRefused: () => slow } },
  "with a promise": { options: { onRefused: async () => slow } },
  "after a shared store's answer": { store: later, options: { onRefused: async () => slow } },
};

const faults: Record<string, Setting["options"]> = {
  throws: {
    onRefused: () => {
      throw new Error("the hook's");
    },
  },
  rejects: { onRefused: async () => Promise.reject(new Error("the hook's")) },
};

/** The tests of a guard's hooks: `onRefused`, reading the admission afterwards, and `refundWhen`. */
export const hooks: Conversation[] = [
  ...Object.entries(answers).map(([when, setting]) =>
    conversation(
      `onRefused responds ${when}, and the guard sends nothing else`,
      setting,
      async (dialogue) => {
        await spend(dialogue);
        const { status, fields, headers, body } = await dialogue.send();
        expectSame([status, fields, headers["x-slow"], body], [418, {}, "1", "slow down"], "the answer");
        expectSame(dialogue.answered(), 2, "requests that reach the handler");
        expectSame(dialogue.errors, [], "reports");
      },
    ),
  ),

  conversation(
    "onRefused gets the refusal, may be asynchronous, and may leave the response to the guard",
    {
      options: {
        onRefused: async ({ retryAfterSeconds }, read) =>
          read("x-plan") === "free" ? { ...slow, body: `wait ${retryAfterSeconds}` } : undefined,
      },
    },
    async (dialogue) => {
      await spend(dialogue);
      const free = await dialogue.send({ headers: { "X-Plan": "free" } });
      expectSame([free.status, free.body], [418, "wait 60"], "the answer");
      expectRefused(await dialogue.send(), twoAMinuteSpent(60));
    },
  ),

  ...Object.entries(faults).map(([when, options]) =>
    conversation(
      `an onRefused that ${when} is reported, and the usual refusal is sent`,
      { options: options ?? {} },
      async (dialogue) => {
        await spend(dialogue);
        expectRefused(await dialogue.send(), twoAMinuteSpent(60));
        expectSame(dialogue.errors.map(String), ["Error: the hook's"], "reports");
      },
    ),
  ),

  conversation(
    "middleware before the guard can read admissions, including refusals",
    {},
    async ({ send, observed }) => {
      for (let n = 0; n < 3; n += 1) await send();
      await until("the third request is observed", () => observed.length === 3);
      expectSame(
        observed.map((admission) => admission?.admitted),
        [true, true, false],
        "the observed admissions",
      );
      expectSame((observed[2] as Admission).limits[0]?.remaining, 0, "the remaining units");
    },
  ),

  conversation(
    "a skipped request has no admission",
    { options: { skip: () => true } },
    async ({ send, observed }) => {
      await send();
      await until("the request is observed", () => observed.length === 1);
      expectSame(observed, [undefined], "the admission");
    },
  ),

  conversation(
    "refundWhen counts failures only",
    {
      options: { refundWhen: (status) => status < 400 },
      answer: (_admission, body) => ({ ...hello, status: body === "right" ? 200 : 401 }),
    },
    async ({ send }) => {
      const attempt = (body: string) => send({ method: "POST", body });
      for (let n = 0; n < 4; n += 1) expectPassed(await attempt("right"), twoAMinute(2, 0));
      expectPassed(await attempt("wrong"), twoAMinute(1, 60), { status: 401 });
      expectPassed(await attempt("right"), twoAMinute(1, 60));
      expectPassed(await attempt("wrong"), twoAMinute(0, 60), { status: 401 });
      expectRefused(await attempt("right"), twoAMinuteSpent(60));
    },
  ),

  conversation(
    "refundWhen refunds a request that holds a place once it has ended",
    {
      layers: [{ name: "user", key: ({ user }) => user, limits: "2/minute; 1 concurrent" }],
      options: { refundWhen: (status) => status >= 500 },
      answer: () => ({ ...hello, status: 503 }),
    },
    async ({ send, limiter }) => {
      for (let n = 0; n < 4; n += 1) {
        expectSame((await send()).status, 503, "the status");
        await until("the place is free and the charge refunded", async () => {
          const { limits } = await limiter.peek({ user: "a", address: null });
          return limits.every(({ remaining, quota }) => remaining === quota);
        });
      }
    },
  ),

  ...Object.entries({
    throws: () => {
      throw new Error("the hook's");
    },
    "returns a promise": (async () => true) as never,
  }).map(([when, refundWhen]) =>
    conversation(
      `a refundWhen that ${when} refunds nothing, and is reported`,
      { options: { refundWhen } },
      async ({ send, errors }) => {
        const statuses = [];
        for (let n = 0; n < 3; n += 1) statuses.push((await send()).status);
        expectSame(statuses, [200, 200, 429], "the statuses");
        expectSame(errors.length, 2, "reports");
      },
    ),
  ),

  conversation(
    "the fields can be turned off, and Retry-After stays",
    { options: { fields: false } },
    async ({ send }) => {
      expectPassed(await send(), {});
      await send();
      const fields = { "Access-Control-Expose-Headers": "Retry-After" };
      expectRefused(await send(), { ...twoAMinuteSpent(60), fields });
    },
  ),

  conversation("a refusal may have another status", { options: { status: 420 } }, async (dialogue) => {
    await spend(dialogue);
    const { status, body } = await dialogue.send();
    expectSame([status, JSON.parse(body).status], [420, 420], "the status");
  }),

  conversation(
    "an asynchronous skip skips only the requests that it selects",
    { options: { skip: async (read) => read("x-skip") !== undefined } },
    async ({ send }) => {
      await send();
      expectPassed(await send({ headers: { "X-Skip": "1" } }), {});
      expectPassed(await send(), twoAMinute(0, 60));
      expectRefused(await send(), twoAMinuteSpent(60));
    },
  ),
];

import { memoryStore } from "../../stores/memory/index.ts";
import {
  type Conversation,
  conversation,
  type Dialogue,
  hello,
  type Setting,
  until,
} from "./conversation.ts";
import { expectPassed, expectSame, twoAMinute } from "./expect.ts";

const onePlace = [{ name: "user", key: ({ user }: { user: string | null }) => user, limits: "1 concurrent" }];

async function isFree({ limiter }: Pick<Dialogue, "limiter">): Promise<boolean> {
  return (await limiter.peek({ user: "a", address: null })).admitted;
}

/** Creates a body that never ends. */
async function* endless(): AsyncGenerator<string> {
  for (;;) {
    yield "piece ";
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The tests that a place is held as long as its response lasts, however it ends. */
export const endings: Conversation[] = [
  ...(["GET", "POST", "HEAD"] as const).map((method) =>
    conversation(
      `a place is free again after each answer to ${method}`,
      { layers: onePlace },
      async (dialogue) => {
        for (let n = 0; n < 4; n += 1) {
          expectSame((await dialogue.send({ method })).status, 200, "the status");
          await until("the place is free", () => isFree(dialogue));
        }
      },
    ),
  ),

  conversation(
    "a place is free again after a handler that fails",
    {
      layers: onePlace,
      answer: () => {
        throw new Error("the handler's");
      },
    },
    async (dialogue) => {
      await dialogue.send();
      await until("the place is free", () => isFree(dialogue));
    },
  ),

  conversation(
    "a place is held while the answer streams, and free once the client has hung up",
    { layers: onePlace, answer: () => ({ ...hello, body: endless() }) },
    async (dialogue) => {
      const leaving = new AbortController();
      const response = await dialogue.open({ signal: leaving.signal });
      await response.body?.getReader().read();
      expectSame((await dialogue.send()).status, 429, "the status while the answer streams");
      leaving.abort();
      await until("the place is free", () => isFree(dialogue));
    },
  ),

  conversation(
    "a place is free again if the client hangs up before there is a response",
    { layers: onePlace, answer: () => new Promise(() => {}) },
    async (dialogue) => {
      const leaving = new AbortController();
      const asked = dialogue.open({ signal: leaving.signal }).catch(() => {});
      await until("the handler is reached", () => dialogue.answered() === 1);
      leaving.abort();
      await asked;
      await until("the place is free", () => isFree(dialogue));
    },
  ),

  ...(["skip", "caller"] as const).map((waits): Conversation => {
    /** The lookups that are waiting. */
    const waiting: (() => void)[] = [];
    const wait = () => new Promise<void>((resolve) => waiting.push(resolve));
    const lookups: Setting["options"] =
      waits === "skip"
        ? { skip: () => wait().then(() => false) }
        : { caller: (read) => wait().then(() => ({ user: read("x-user") ?? null, address: null })) };
    return conversation(
      `a client that leaves while ${waits} waits is not charged, and the handler does not run`,
      { options: lookups },
      async ({ open, send, answered, limiter, errors }) => {
        waiting.length = 0;
        const leaving = new AbortController();
        const asked = open({ signal: leaving.signal }).catch(() => {});
        await until("the lookup waits", () => waiting.length === 1);
        leaving.abort();
        await asked;
        // When a request on another connection arrives, the hang-up has reached the server too.
        const second = send({ user: "b" });
        await until("the second lookup waits", () => waiting.length === 2);
        waiting[1]?.();
        await second;
        waiting[0]?.();
        const third = send();
        await until("the third lookup waits", () => waiting.length === 3);
        waiting[2]?.();
        expectPassed(await third, twoAMinute(1, 60));
        const { limits } = await limiter.peek({ user: "a", address: null });
        expectSame(limits[0]?.remaining, 1, "the remaining units");
        expectSame(answered(), 2, "requests that reach the handler");
        expectSame(errors, [], "reports");
      },
    );
  }),

  ((): Conversation => {
    /** The calls to the store that are waiting. */
    const waiting: (() => void)[] = [];
    const hold = () => {
      waiting.length = 0;
      const store = memoryStore();
      const decide = async (...question: Parameters<typeof store.decide>) => {
        const [, , peek] = question;
        if (!peek) await new Promise<void>((resolve) => waiting.push(resolve));
        return store.decide(...question);
      };
      return { ...store, decide } as never;
    };
    return conversation(
      "a client that leaves while the store is asked is refunded, and the handler does not run",
      { store: hold },
      async ({ open, send, answered, limiter, errors }) => {
        const leaving = new AbortController();
        const asked = open({ signal: leaving.signal }).catch(() => {});
        await until("the store is asked", () => waiting.length === 1);
        leaving.abort();
        await asked;
        // When a request on another connection arrives, the hang-up has reached the server too.
        const second = send({ user: "b" });
        await until("the store is asked again", () => waiting.length === 2);
        waiting[1]?.();
        await second;
        waiting[0]?.();
        await until("the charge is refunded", async () => {
          const { limits } = await limiter.peek({ user: "a", address: null });
          return limits[0]?.remaining === 2;
        });
        const third = send();
        await until("the store is asked a third time", () => waiting.length === 3);
        waiting[2]?.();
        expectPassed(await third, twoAMinute(1, 60));
        expectSame(answered(), 2, "requests that reach the handler");
        expectSame(errors, [], "reports");
      },
    );
  })(),
];

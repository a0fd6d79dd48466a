import { type Conversation, conversation, type Setting } from "./conversation.ts";
import { expectPassed, expectSame } from "./expect.ts";

const fail = () => {
  throw new Error("guard");
};

const never = () => new Promise<never>(() => {});

const table: Record<string, Setting> = {
  "the caller cannot be identified": { options: { caller: fail } },
  "the caller cannot be looked up": { options: { caller: async () => fail() } },
  "the cost cannot be computed": { options: { cost: fail } },
  "the cost cannot be looked up": { options: { cost: async () => fail() } },
  "the cost is invalid": { options: { cost: () => ({ requests: Number.NaN }) } },
  "the lookup of the caller never resolves": { options: { caller: never, lookupMs: 20 } },
  "the lookup of the cost never resolves": { options: { cost: never, lookupMs: 20 } },
  "skip never resolves": { options: { skip: never, lookupMs: 20 } },
  "skip fails": { options: { skip: fail, caller: fail } },
  "admit throws": { spoil: () => ({ admit: fail }) },
  "admit rejects": { spoil: () => ({ admit: async () => fail() }) },
};

/** The tests of errors in the guard: they must not become errors of the endpoint, or disable the limits. */
export const faults: Conversation[] = [
  ...Object.entries(table).map(([when, setting]) =>
    conversation(`the endpoint works and stays limited when ${when}`, setting, async ({ send, errors }) => {
      const statuses: number[] = [];
      for (let n = 0; n < 3; n += 1) statuses.push((await send()).status);
      expectSame(statuses, [200, 200, 429], "the statuses");
      expectSame(errors.length > 0, true, "whether the fault was reported");
    }),
  ),

  conversation(
    "if the limiter is closed, the request passes and the error is reported",
    {},
    async ({ send, limiter, errors }) => {
      await limiter.close();
      expectPassed(await send(), {});
      const codes = errors.map((error) => (error as { code?: unknown }).code);
      expectSame(codes.includes("limiter-closed"), true, "whether the error was reported");
    },
  ),
];

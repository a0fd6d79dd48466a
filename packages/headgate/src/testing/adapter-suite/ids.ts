import type { Admitted } from "../../core/admission.ts";
import { type Conversation, conversation, type Dialogue, hello, type Sent, until } from "./conversation.ts";
import { expectPassed, expectSame, twoAMinute } from "./expect.ts";
import type { AdapterGuardOptions } from "./index.ts";

const idempotency: NonNullable<AdapterGuardOptions["idempotency"]> = (read) => ({
  id: read("idempotency-key"),
  fingerprint: read("x-body") ?? "",
});

function named(id: string, body = "one"): Sent {
  return { headers: { "Idempotency-Key": id, "X-Body": body } };
}

/** Returns the remaining units of the default limit. */
async function left({ limiter }: Dialogue): Promise<number | undefined> {
  return (await limiter.peek({ user: "a", address: null })).limits[0]?.remaining;
}

function expectKnown(
  { status, fields, headers, body }: Awaited<ReturnType<Dialogue["send"]>>,
  error: string,
): void {
  const problem = JSON.parse(body);
  expectSame(
    [status, fields, headers["content-type"], problem.status, problem.error],
    [
      error.startsWith("Id") ? 422 : 409,
      { "Cache-Control": "no-store" },
      "application/problem+json",
      status,
      error,
    ],
    "the answer to a known id",
  );
}

/** The tests of requests with an id. */
export const ids: Conversation[] = [
  conversation(
    "a request with an id is answered and charged once",
    { options: { idempotency } },
    async (dialogue) => {
      const { send, answered } = dialogue;
      expectPassed(await send(named("m1")), twoAMinute(1, 60));
      await until("the id is done", async () => (await send(named("m1"))).body.includes("answered"));
      expectKnown(await send(named("m1")), "Request already answered");
      expectKnown(await send(named("m1", "two")), "Id belongs to another request");
      expectSame(answered(), 1, "requests that reach the handler");
      expectSame(await left(dialogue), 1, "the remaining units");
      expectPassed(await send({}), twoAMinute(0, 60));
      expectKnown(await send(named("m1")), "Request already answered");
      expectSame((await send(named("m2"))).status, 429, "the status of another id beyond the limit");
      expectSame(dialogue.errors, [], "reports");
    },
  ),

  conversation(
    "a request whose id is being answered does not reach the handler",
    { options: { idempotency }, answer: () => new Promise(() => {}) },
    async (dialogue) => {
      const leaving = new AbortController();
      const asked = dialogue.open({ ...named("m1"), signal: leaving.signal }).catch(() => {});
      await until("the handler is reached", () => dialogue.answered() === 1);
      expectKnown(await dialogue.send(named("m1")), "Request in progress");
      expectSame(dialogue.answered(), 1, "requests that reach the handler");
      leaving.abort();
      await asked;
    },
  ),

  conversation(
    "a request with the id of a failed request reaches the handler, and is not charged again",
    {
      options: { idempotency },
      answer: (admission) =>
        (admission as Admitted).attempt === 1 ? { ...hello, status: 503 } : { ...hello, body: "anew" },
    },
    async (dialogue) => {
      expectSame((await dialogue.send(named("m1"))).status, 503, "the first status");
      await until(
        "the second request reaches the handler",
        async () => (await dialogue.send(named("m1"))).body === "anew",
      );
      expectSame(
        [await left(dialogue), dialogue.answered()],
        [1, 2],
        "the remaining units, and how often the handler ran",
      );
    },
  ),

  conversation(
    "a request with the id of a request that got a Retry-After reaches the handler, and is not charged again",
    {
      options: { idempotency },
      answer: (admission) =>
        (admission as Admitted).attempt === 1 ? { ...hello, status: 429 } : { ...hello, body: "anew" },
    },
    async (dialogue) => {
      expectSame((await dialogue.send(named("m1"))).status, 429, "the first status");
      let next = "";
      await until("the id is no longer running", async () => {
        next = (await dialogue.send(named("m1"))).body;
        return !next.includes("in progress");
      });
      expectSame(
        [next, await left(dialogue), dialogue.answered()],
        ["anew", 1, 2],
        "the next status, the remaining units, and how often the handler ran",
      );
    },
  ),

  conversation(
    "onKnown responds in place of the guard, or leaves the response to the guard",
    {
      options: {
        idempotency,
        onKnown: ({ state }, read) =>
          read("x-replay") === undefined ? undefined : { ...hello, status: 208, body: `again: ${state}` },
      },
    },
    async (dialogue) => {
      await dialogue.send(named("m1"));
      const { headers } = named("m1");
      const replay = () => dialogue.send({ headers: { ...headers, "X-Replay": "1" } });
      await until("the id is done", async () => (await replay()).body === "again: done");
      expectSame((await replay()).status, 208, "the status");
      expectKnown(await dialogue.send(named("m1")), "Request already answered");
    },
  ),

  conversation(
    "an invalid id is ignored, and an idempotency option that fails is reported",
    {
      options: {
        idempotency: (read) => {
          if (read("x-fail") !== undefined) throw new Error("the option's");
          return { id: read("idempotency-key") };
        },
      },
    },
    async (dialogue) => {
      expectPassed(await dialogue.send(named("x".repeat(300))), twoAMinute(1, 60));
      expectPassed(await dialogue.send({ headers: { "X-Fail": "1" } }), twoAMinute(0, 60));
      expectSame(dialogue.errors.map(String), ["Error: the option's"], "reports");
    },
  ),

  conversation(
    "ids of unidentified callers are ignored",
    {
      options: {
        idempotency,
        caller: () => {
          throw new Error("nobody");
        },
      },
    },
    async ({ send }) => {
      expectPassed(await send(named("m1")), twoAMinute(1, 60));
      expectPassed(await send(named("m1", "two")), twoAMinute(0, 60));
    },
  ),
];

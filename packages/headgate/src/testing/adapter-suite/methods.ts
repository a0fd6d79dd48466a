import { type Conversation, conversation } from "./conversation.ts";
import { expectPassed, expectRefused, expectSame, twoAMinute, twoAMinuteSpent } from "./expect.ts";

/** The tests of methods other than GET, and of requests that the guard ignores. */
export const methods: Conversation[] = [
  conversation("HEAD is admitted with the fields and without a body", {}, async ({ send }) => {
    expectPassed(await send({ method: "HEAD" }), twoAMinute(1, 60), { body: "" });
  }),

  conversation("HEAD is refused with the fields and without a body", {}, async ({ send }) => {
    await send({ method: "HEAD" });
    await send({ method: "HEAD" });
    expectRefused(await send({ method: "HEAD" }), twoAMinuteSpent(60), false);
  }),

  conversation("CORS preflights are not counted", {}, async ({ send, answered }) => {
    const preflight = {
      method: "OPTIONS",
      headers: { Origin: "https://example.com", "Access-Control-Request-Method": "POST" },
    };
    for (let n = 0; n < 5; n += 1) expectPassed(await send(preflight), {});
    expectSame(answered(), 5, "preflights that reach the handler");
    expectPassed(await send(), twoAMinute(1, 60));
  }),

  conversation("an OPTIONS request that is not a preflight is counted", {}, async ({ send }) => {
    expectPassed(await send({ method: "OPTIONS" }), twoAMinute(1, 60));
    await send({ method: "OPTIONS" });
    expectRefused(await send({ method: "OPTIONS" }), twoAMinuteSpent(60));
  }),

  conversation("a preflight's header on another method does not skip the guard", {}, async ({ send }) => {
    const dressed = { method: "POST", body: "x", headers: { "Access-Control-Request-Method": "POST" } };
    await send(dressed);
    await send(dressed);
    expectRefused(await send(dressed), twoAMinuteSpent(60));
  }),

  conversation(
    "a skipped request is neither counted nor refused",
    {
      options: { skip: (read) => read("x-skip") !== undefined },
      answer: (admission) => ({ status: 200, headers: {}, body: String(admission === undefined) }),
    },
    async ({ send }) => {
      const skipped = { headers: { "X-Skip": "1" } };
      for (let n = 0; n < 3; n += 1) expectPassed(await send(skipped), {}, { body: "true" });
      expectPassed(await send(), twoAMinute(1, 60), { body: "false" });
      expectPassed(await send(), twoAMinute(0, 60), { body: "false" });
      expectPassed(await send(skipped), {}, { body: "true" });
      expectRefused(await send(), twoAMinuteSpent(60));
    },
  ),

  conversation("POST, PUT, PATCH and DELETE are all counted", {}, async ({ send }) => {
    const methodsInTurn = ["POST", "PUT", "PATCH", "DELETE"];
    const statuses: number[] = [];
    for (const method of methodsInTurn) statuses.push((await send({ method, body: "x" })).status);
    expectSame(statuses, [200, 200, 429, 429], "the statuses");
  }),
];

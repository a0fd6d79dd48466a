import type { Admission } from "../../core/admission.ts";
import { type Conversation, conversation, replyOf } from "./conversation.ts";
import { expectPassed, expectRefused, expectSame, exposed, twoAMinute, twoAMinuteSpent } from "./expect.ts";

interface Pushed {
  readonly pieces: AsyncIterable<string>;
  /** Sends the next chunk. */
  push(): void;
}

/** Creates a conversation with a new stream for each run. */
function streaming(name: string, make: (name: string, pushed: Pushed) => Conversation): Conversation {
  return { name, run: (serve) => make(name, pushed()).run(serve) };
}

function pushed(): Pushed {
  const steps: (() => void)[] = [];
  const turns = ["one", "two", "three"].map(
    (piece) => new Promise<string>((resolve) => steps.push(() => resolve(piece))),
  );
  async function* pieces() {
    for (const turn of turns) yield await turn;
  }
  return { pieces: pieces(), push: () => steps.shift()?.() };
}

/** The tests of request and response bodies that pass through the guard. */
export const bodies: Conversation[] = [
  conversation(
    "the complete body of a request reaches the handler",
    { answer: (_admission, body) => ({ status: 200, headers: {}, body: String(body.length) }) },
    async ({ send }) => {
      const reply = await send({ method: "POST", body: "x".repeat(500_000) });
      expectPassed(reply, twoAMinute(1, 60), { body: "500000" });
    },
  ),

  conversation(
    "the body of a request is complete after an asynchronous caller lookup",
    {
      options: {
        caller: async (read) => {
          await new Promise((resolve) => setTimeout(resolve, 0));
          return { user: read("x-user") ?? null, address: null };
        },
      },
      answer: (_admission, body) => ({ status: 200, headers: {}, body: String(body.length) }),
    },
    async ({ send }) => {
      const reply = await send({ method: "POST", body: "x".repeat(500_000) });
      expectPassed(reply, twoAMinute(1, 60), { body: "500000" });
    },
  ),

  conversation("a refused body does not break later requests", {}, async ({ send, clock }) => {
    await send();
    await send();
    expectRefused(await send({ method: "POST", body: "x".repeat(50_000) }), twoAMinuteSpent(60));
    clock.advance(60_000);
    expectPassed(await send({ method: "POST", body: "x".repeat(50_000) }), twoAMinute(1, 60));
  }),

  conversation(
    "responses without a body carry the fields",
    { answer: () => ({ status: 204, headers: {}, body: null }) },
    async ({ send }) => {
      expectPassed(await send(), twoAMinute(1, 60), { status: 204, body: "" });
    },
  ),

  conversation(
    "redirects carry the fields",
    { answer: () => ({ status: 302, headers: { Location: "/elsewhere" }, body: null }) },
    async ({ send }) => {
      const reply = await send();
      expectPassed(reply, twoAMinute(1, 60), { status: 302, body: "" });
      expectSame(reply.headers.location, "/elsewhere", "the location of the redirect");
    },
  ),

  conversation(
    "error responses of the handler carry the fields, and are charged",
    { answer: () => ({ status: 404, headers: {}, body: "nowhere" }) },
    async ({ send }) => {
      expectPassed(await send(), twoAMinute(1, 60), { status: 404, body: "nowhere" });
      expectPassed(await send(), twoAMinute(0, 60), { status: 404, body: "nowhere" });
      expectRefused(await send(), twoAMinuteSpent(60));
    },
  ),

  conversation(
    "fields that the handler exposes to scripts stay exposed",
    {
      answer: () => ({ status: 200, headers: { "Access-Control-Expose-Headers": "X-Own" }, body: "hello" }),
    },
    async ({ send }) => {
      const exposing = { "Access-Control-Expose-Headers": `X-Own, ${exposed}` };
      expectPassed(await send(), { ...twoAMinute(1, 60), ...exposing });
    },
  ),

  conversation(
    "the handler's own fields stay, except those that the guard sets",
    {
      answer: () => ({
        status: 200,
        headers: { RateLimit: '"forged";r=99;t=0', "Cache-Control": "max-age=5", "Retry-After": "7" },
        body: "hello",
      }),
    },
    async ({ send }) => {
      expectPassed(await send(), { ...twoAMinute(1, 60), "Cache-Control": "max-age=5", "Retry-After": "7" });
    },
  ),

  streaming("a stream passes chunk by chunk, with the fields in its head", (name, { pieces, push }) =>
    conversation(
      name,
      { answer: () => ({ status: 200, headers: { "Content-Type": "text/event-stream" }, body: pieces }) },
      async ({ open }) => {
        push();
        const response = await open();
        expectSame(response.headers.get("RateLimit"), twoAMinute(1, 60).RateLimit, "the fields");
        const type = response.headers.get("Content-Type");
        expectSame(
          /^text\/event-stream\b/.test(type ?? ""),
          true,
          `whether ${type} is the type of an event stream`,
        );
        const reader = response.body?.getReader();
        for (const piece of ["one", "two", "three"]) {
          const read = await reader?.read();
          expectSame(new TextDecoder().decode(read?.value), piece, "the next chunk");
          push();
        }
        expectSame((await reader?.read())?.done, true, "whether the stream ends");
      },
    ),
  ),

  streaming(
    "a settlement after the head was sent changes no field and does not break the stream",
    (name, { pieces, push }) => {
      let admission: Admission | undefined;
      return conversation(
        name,
        {
          answer: (known) => {
            admission = known;
            return { status: 200, headers: {}, body: pieces };
          },
        },
        async ({ open, send }) => {
          push();
          const response = await open();
          if (admission?.admitted) await admission.end("nothing");
          push();
          push();
          const reply = await replyOf(response);
          expectPassed(reply, twoAMinute(1, 60), { body: "onetwothree" });
          expectSame(
            (await send({ method: "HEAD" })).fields.RateLimit,
            twoAMinute(1, 60).RateLimit,
            "the fields",
          );
        },
      );
    },
  ),
];

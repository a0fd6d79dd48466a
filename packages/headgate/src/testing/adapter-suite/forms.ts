import { type Conversation, conversation, type Reply } from "./conversation.ts";
import { expectPassed, expectRefused, expectSame, exposed, twoAMinute, twoAMinuteSpent } from "./expect.ts";

const detail = "The limit of 2 requests per minute has been reached. Try again in 60 seconds.";
const text = `Too many requests\n\n${detail}\n`;
const spentFields = { ...twoAMinute(0, 60), "Cache-Control": "no-store", "Retry-After": "60" };

/** A browser's `Accept` field. */
const browsers = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";

/** The name of the test, the `Accept` field and the expected content type. */
const clients: [who: string, accept: string, type: string][] = [
  ["a browser gets a page", browsers, "text/html; charset=utf-8"],
  ["a client that accepts text gets text", "text/plain", "text/plain; charset=utf-8"],
  ["a client that prefers text gets text", "text/html;q=0.5, text/plain;q=0.9", "text/plain; charset=utf-8"],
  [
    "a client that accepts JSON gets a problem",
    "application/json, text/plain, */*",
    "application/problem+json",
  ],
  ["a client that accepts anything gets a problem", "*/*", "application/problem+json"],
  ["a client that accepts none of the types gets a problem", "image/png", "application/problem+json"],
  ["a type with weight 0 is not sent", "text/html;q=0, text/*;q=0.1", "text/plain; charset=utf-8"],
];

/** @throws AdapterSuiteError unless the response is this `429`, in this form */
function expectRefusalIn(
  reply: Reply,
  type: string,
  body: string,
  fields: Readonly<Record<string, string>> = { ...spentFields, Vary: "Accept" },
): void {
  const got = {
    status: reply.status,
    type: reply.headers["content-type"],
    fields: reply.fields,
    body: reply.body,
  };
  expectSame(got, { status: 429, type, fields, body }, "the refusal");
}

/** The tests of the formats of refusals and of the quota fields. */
export const forms: Conversation[] = [
  ...clients.map(([who, accept, type]) =>
    conversation(who, {}, async ({ send }) => {
      await send();
      await send();
      const reply = await send({ headers: { Accept: accept } });
      if (type === "application/problem+json") return expectRefused(reply, twoAMinuteSpent(60));
      if (type.startsWith("text/plain")) return expectRefusalIn(reply, type, text);
      expectRefusalIn(reply, type, reply.body);
      for (const part of [
        '<!doctype html>\n<html lang="en">',
        "<title>Too many requests</title>",
        "<h1>Too many requests</h1>",
        `<p>${detail}</p>`,
      ]) {
        expectSame(reply.body.includes(part), true, `whether the page has ${part}`);
      }
      expectSame(/\b(src|href|url)\b/.test(reply.body), false, "whether the page loads other files");
    }),
  ),

  conversation("HEAD gets the type that GET would get, and no body", {}, async ({ send }) => {
    await send();
    await send();
    expectRefusalIn(
      await send({ method: "HEAD", headers: { Accept: "text/html" } }),
      "text/html; charset=utf-8",
      "",
    );
  }),

  conversation("an existing Vary field is kept", { fieldsBefore: { Vary: "Origin" } }, async ({ send }) => {
    expectPassed(await send(), { ...twoAMinute(1, 60), Vary: "Origin" });
    await send();
    const spent = twoAMinuteSpent(60);
    const fields = { ...spent.fields, Vary: "Origin, Accept" };
    expectRefused(await send(), { ...spent, fields });
  }),

  conversation(
    "a custom body is sent to every client, and may be undefined",
    {
      options: {
        body: ({ retryAfterSeconds }, read) =>
          read("x-plain") === undefined
            ? { contentType: "application/vnd.own+json", body: JSON.stringify({ wait: retryAfterSeconds }) }
            : undefined,
      },
    },
    async ({ send }) => {
      await send();
      await send();
      const accepting = { headers: { Accept: browsers } };
      expectRefusalIn(await send(accepting), "application/vnd.own+json", '{"wait":60}', spentFields);
      expectRefused(await send({ headers: { "X-Plain": "1" } }), twoAMinuteSpent(60));
    },
  ),

  ...Object.entries({
    throws: () => {
      throw new Error("the body's");
    },
    "has an invalid type": () => ({ contentType: "text/plain\r\nX-Injected: 1", body: "x" }),
    "is not text": () => ({ contentType: "text/plain", body: 7 as unknown as string }),
  }).map(([when, body]) =>
    conversation(
      `a custom body that ${when} is reported, and the default body is sent`,
      { options: { body } },
      async ({ send, errors }) => {
        await send();
        await send();
        expectRefused(await send(), twoAMinuteSpent(60));
        expectSame(errors.length, 1, "reports");
      },
    ),
  ),

  conversation(
    "draft 7 shows the tightest limit in one field, and all quotas",
    {
      layers: [{ name: "user", key: ({ user }) => user, limits: "2/minute; 60/hour" }],
      options: { fields: "draft-7", legacy: true },
    },
    async ({ send }) => {
      const shared = {
        "RateLimit-Policy": "2;w=60, 60;w=3600",
        "Access-Control-Expose-Headers": `${exposed}, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset`,
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Reset": "60",
      };
      expectPassed(await send(), {
        ...shared,
        RateLimit: "limit=2, remaining=1, reset=60",
        "X-RateLimit-Remaining": "1",
      });
      await send();
      const fields = { ...shared, RateLimit: "limit=2, remaining=0, reset=60", "X-RateLimit-Remaining": "0" };
      expectRefused(await send(), { ...twoAMinuteSpent(60), fields });
    },
  ),

  conversation(
    "draft 6 shows the tightest limit in three fields",
    { options: { fields: "draft-6" } },
    async ({ send }) => {
      const fieldsOf = (remaining: number) => ({
        "RateLimit-Policy": "2;w=60",
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": String(remaining),
        "RateLimit-Reset": "60",
        "Access-Control-Expose-Headers":
          "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, Retry-After",
      });
      expectPassed(await send(), fieldsOf(1));
      expectPassed(await send(), fieldsOf(0));
      expectRefused(await send(), { ...twoAMinuteSpent(60), fields: fieldsOf(0) });
    },
  ),
];

import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { HeadgateError } from "../core/errors.ts";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import * as fetchAdapter from "./fetch.ts";
import * as nodeAdapter from "./node.ts";

/** Each kind of mistake is made this often on each of two ways of guarding, and meets four requests. */
const numRuns = 500;
const asks = 4;
const quota = 2;
const decided: Record<string, number> = {};

/** What a function may do in place of what it should. */
type Behaviour =
  | { how: "returns" | "resolves" | "thenable" | "throws" | "rejects"; what: unknown }
  | { how: "getter" };

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });
const nothing = fc.constantFrom(
  undefined,
  null,
  Number.NaN,
  0,
  "",
  false,
  true,
  -1,
  1.5,
  Symbol("s"),
  () => "x",
);
const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  fc.record({
    how: fc.constantFrom("returns", "resolves", "thenable", "throws", "rejects"),
    what: fc.oneof(nothing, anything),
  }) as fc.Arbitrary<Behaviour>,
  fc.constant<Behaviour>({ how: "getter" }),
);

function behave(given: Behaviour): unknown {
  if (given.how === "getter") {
    return {
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested.
      get then() {
        throw new Error("getter");
      },
    };
  }
  const { how, what } = given;
  if (how === "throws") throw what;
  if (how === "rejects") return Promise.reject(what);
  if (how === "resolves") return Promise.resolve(what);
  // biome-ignore lint/suspicious/noThenProperty: it is what is tested.
  if (how === "thenable") return { then: (resolve: (value: unknown) => void) => resolve(what) };
  return what;
}

const fails = ({ how }: Behaviour) => how === "throws" || how === "rejects";

type Options = Record<string, unknown>;
type Ask = () => Promise<number>;

const guards: Record<string, (limiter: Limiter<unknown>, options: Options) => Ask> = {
  fetch(limiter, options) {
    const handler = fetchAdapter.rateLimit(limiter, options as never)(() => new Response("ok"));
    return async () => (await handler(new Request("http://localhost/"))).status;
  },
  node(limiter, options) {
    const listener = nodeAdapter.rateLimit(limiter, options as never)((_request, response) => response.end());
    return async () => {
      const incoming = new IncomingMessage(new Socket());
      incoming.method = "GET";
      const response = new ServerResponse(incoming);
      await listener(incoming, response);
      return response.statusCode;
    };
  },
};

/** Mounts, asks some times, and holds the guard to its promises. */
async function run(kind: string, options: Options, expectations: { bounded: boolean; reported: boolean }) {
  for (const [name, mount] of Object.entries(guards)) {
    const reports: unknown[] = [];
    const limiter = createLimiter<unknown>({
      name: "chat",
      layers: [{ name: "all", key: () => "all", limits: `${quota}/minute` }],
      onDecision: () => {
        decided[kind] = (decided[kind] ?? 0) + 1;
      },
      onError: (error) => reports.push(error),
      onWarning: () => {},
    });
    const ask = mount(limiter, { caller: () => "x", ...options });
    const statuses = [];
    for (let n = 0; n < asks; n += 1) statuses.push(await ask());
    const passed = statuses.filter((status) => status === 200).length;
    if (expectations.bounded) expect([name, passed <= quota]).toEqual([name, true]);
    if (expectations.reported) expect([name, reports.length > 0]).toEqual([name, true]);
  }
}

describe(`mistakes in the functions of a guard, ${2 * numRuns} of each`, () => {
  afterAll(() => {
    console.info(`decisions reached: ${JSON.stringify(decided)}`);
    for (const kind of ["caller", "cost", "skip", "onRefused", "refundWhen", "body"]) {
      expect([kind, (decided[kind] ?? 0) >= 2000]).toEqual([kind, true]);
    }
  });

  const property = (check: (given: Behaviour) => Promise<void>) =>
    fc.assert(fc.asyncProperty(behaviour, check), { numRuns });

  it("caller: whatever it does, the quota holds", () =>
    property((given) =>
      run("caller", { caller: () => behave(given) }, { bounded: true, reported: fails(given) }),
    ));

  it("cost: what is none is counted strictly, and reported", () =>
    property((given) => {
      const what = given.how === "getter" ? null : given.what;
      const isObject = typeof what === "object" && what !== null;
      const wrong = fails(given) || (!isObject && what !== undefined);
      const namesRequests = isObject && Object.hasOwn(what, "requests");
      return run(
        "cost",
        { cost: () => behave(given) },
        { bounded: wrong || !namesRequests, reported: wrong },
      );
    }));

  it("skip: nothing but true skips", () =>
    property((given) => {
      const isTrue = given.how !== "getter" && given.what === true && !fails(given);
      return run("skip", { skip: () => behave(given) }, { bounded: !isTrue, reported: fails(given) });
    }));

  it("onRefused: whatever it does, no refused request is let through", () =>
    property((given) =>
      run("onRefused", { onRefused: () => behave(given) }, { bounded: true, reported: fails(given) }),
    ));

  it("refundWhen: nothing but true refunds", () =>
    property((given) => {
      const isTrue = given.how === "returns" && given.what === true;
      const isAnswer = given.how === "returns" && typeof given.what === "boolean";
      return run(
        "refundWhen",
        { refundWhen: () => behave(given) },
        { bounded: !isTrue, reported: !isAnswer },
      );
    }));

  it("body: whatever it is, a refusal is sent", () =>
    property((given) =>
      run("body", { body: () => behave(given) }, { bounded: true, reported: given.how === "throws" }),
    ));
});

it(`${4 * numRuns} wrong options are errors when mounted, or decide`, async () => {
  const names = ["caller", "cost", "skip", "body", "onRefused", "refundWhen", "status", "fields", "legacy"];
  const name = fc.oneof(fc.constantFrom(...names, "Caller", "keyGenerator", "max"), fc.string());
  let mounted = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, fc.oneof(anything, nothing), { maxKeys: 3 }), async (options) => {
      try {
        await run("options", options, { bounded: false, reported: false });
        mounted += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(HeadgateError);
        expect((error as HeadgateError).code).toBe("option-invalid");
        refused += 1;
      }
    }),
    { numRuns: 4 * numRuns },
  );
  console.info(`options: ${refused} were errors when mounted, ${mounted} decided`);
  expect(refused).toBeGreaterThan(2 * numRuns);
});

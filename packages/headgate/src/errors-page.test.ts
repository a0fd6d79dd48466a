import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { clientAddress } from "./adapters/fetch.ts";
import { forAdapters } from "./core/for-adapters.ts";
import { isDecided } from "./http/guard/decisions.ts";
import { parseTrustProxy } from "./http/index.ts";
import { createLimiter, HeadgateError, type HeadgateErrorCode, parseLimits } from "./index.ts";
import { redisStore } from "./stores/redis/index.ts";

const page = await readFile(new URL("../../../docs/errors.md", import.meta.url), "utf8");
const layer = { name: "user", key: (user: string) => user, limits: "5/minute" };

/** For each code, a mistake whose message the page quotes. `undefined` if the error needs a server, or time to pass. */
const mistakes: Record<HeadgateErrorCode, (() => unknown) | undefined> = {
  "limit-unreadable": () => parseLimits("5/fortnight"),
  "limit-invalid": () =>
    createLimiter({ name: "chat", layers: [{ ...layer, limits: { quota: 0.5, windowMs: 1000 } }] }),
  "policy-invalid": () => createLimiter({ name: "chat", layers: [layer, layer] }),
  "cost-invalid": () =>
    createLimiter({ name: "chat", layers: [layer], units: ["tokens"] }).admit("alice", {
      cost: { tokens: 1.5 },
    }),
  "lookup-failed": () => {
    let thrown: unknown;
    const failing = {
      name: "org",
      key: () => "acme",
      plans: { free: "5/day" },
      defaultPlan: "free",
      plan: fail,
    };
    createLimiter({ name: "chat", layers: [failing], onError: (error) => (thrown = error) }).admit("alice");
    throw thrown;
  },
  "store-unknown": () => createLimiter({ name: "chat", layers: [layer], store: "mongodb://localhost" }),
  "store-invalid": () => redisStore({} as never),
  "store-unavailable": undefined,
  "store-state-invalid": undefined,
  "trust-proxy-unreadable": () => parseTrustProxy("10.1.2.3/8"),
  "address-unknown": () => clientAddress(new Request("http://localhost/")),
  "option-invalid": () => createLimiter({ name: "chat", layers: [layer], timeouts: { storeMs: 0 } }),
  "guard-misplaced": () => {
    const limiter = { [forAdapters]: { report: rethrow } };
    isDecided(limiter, [{ limiter, admission: undefined as never }], "GET", "/chat");
  },
  "store-full": undefined,
  "queue-full": undefined,
  "limiter-closed": () => {
    const limiter = createLimiter({ name: "chat", layers: [layer] });
    limiter.close();
    return limiter.admit("alice");
  },
};

function fail(): never {
  throw new Error("connection lost");
}

function rethrow(error: unknown): never {
  throw error;
}

function errorOf(mistake: () => unknown): HeadgateError {
  try {
    mistake();
  } catch (error) {
    if (error instanceof HeadgateError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Returns the section of the page about one code. */
function partOf(code: string): string {
  const [, part = ""] = page.split(`\n### \`${code}\`\n`);
  return part.split(/\n##/)[0] ?? "";
}

/** Returns the message that a section quotes, as one line. */
function quotedIn(part: string): string {
  const lines = part.split("\n").filter((line) => line.startsWith("> "));
  return lines.map((line) => line.slice(2)).join(" ");
}

describe("the page of errors", () => {
  it("has a section for every code, and no others", () => {
    const headings = [...page.matchAll(/^### `(.+)`$/gm)].map(([, code]) => code);
    expect(headings.sort()).toEqual(Object.keys(mistakes).sort());
  });

  it.each(Object.keys(mistakes))("states the message, cause and cure of %s", (code) => {
    const part = partOf(code);
    expect(quotedIn(part)).not.toBe("");
    expect(part).toContain("**Cause.**");
    expect(part).toContain("**Cure.**");
  });

  const quotable = Object.entries(mistakes).filter(([, mistake]) => mistake !== undefined);
  it.each(quotable)("quotes %s exactly", (code, mistake) => {
    const error = errorOf(mistake as () => unknown);
    expect(error.code).toBe(code);
    expect(quotedIn(partOf(code))).toBe(error.message);
  });
});

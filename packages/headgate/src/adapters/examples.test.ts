import { compileExample, startExample } from "@headgate/test-servers/example.ts";
import { afterEach, describe, expect, it } from "vitest";

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

async function originOf(name: string, file?: string): Promise<string> {
  const { origin, stop } = await startExample(name, {}, file);
  ending.push(stop);
  return origin;
}

async function statuses(ask: () => Promise<Response>): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < 6; n += 1) {
    const response = await ask();
    expect(response.headers.get("RateLimit")).toMatch(
      /^"ip-per-minute";r=\d;t=\d+, "ip-per-hour";r=\d\d;t=\d+$/,
    );
    await response.text();
    found.push(response.status);
  }
  return found;
}

describe("the examples", () => {
  it.each(["node", "express", "fastify", "koa", "hono"])(
    "%s answers five requests and refuses the sixth",
    async (name) => {
      const origin = await originOf(name);
      expect(await statuses(() => fetch(origin))).toEqual([200, 200, 200, 200, 200, 429]);
    },
  );

  it("nest answers five requests and refuses the sixth", async () => {
    const origin = await originOf("nest", await compileExample("nest"));
    expect(await statuses(() => fetch(origin))).toEqual([200, 200, 200, 200, 200, 429]);
    expect((await fetch(`${origin}/health`)).headers.has("RateLimit")).toBe(false);
  });

  it("next answers five requests and refuses the sixth", async () => {
    const { POST } = await import("../../../../examples/next/app/api/chat/route.ts");
    const headers = { "X-Vercel-Forwarded-For": "203.0.113.7" };
    const ask = async () => POST(new Request("http://localhost/api/chat", { method: "POST", headers }));
    expect(await statuses(ask)).toEqual([200, 200, 200, 200, 200, 429]);
  });

  it("fetch answers five requests and refuses the sixth", async () => {
    const { default: worker } = await import("../../../../examples/fetch/index.ts");
    const headers = { "CF-Connecting-IP": "203.0.113.7" };
    const ask = async () => worker.fetch(new Request("http://localhost/", { headers }));
    expect(await statuses(ask)).toEqual([200, 200, 200, 200, 200, 429]);
  });
});

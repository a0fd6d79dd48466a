import { readFileSync } from "node:fs";
import { request } from "node:http";
import { exampleFile, startExample } from "@headgate/test-servers/example.ts";
import { startNginx } from "@headgate/test-servers/nginx.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { SignJWT } from "jose";
import { afterEach, describe, expect, it } from "vitest";

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function originOf(name: string, environment: Record<string, string> = {}): Promise<string> {
  const { origin, stop } = await startExample(name, environment);
  ending.push(stop);
  return origin;
}

const secret = "a secret of at least thirty-two bytes";

async function bearing(user: string, by = secret): Promise<Record<string, string>> {
  const jwt = await new SignJWT({ sub: user })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience("example")
    .setExpirationTime("1 minute")
    .sign(new TextEncoder().encode(by));
  return { Authorization: `Bearer ${jwt}` };
}

/**
 * Sends a request from an address of the loopback network, and returns the status. Each address is a separate caller.
 */
function statusFrom(address: string, port: number, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, localAddress: address, headers, agent: false }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    })
      .once("error", reject)
      .end();
  });
}

async function times(count: number, ask: (n: number) => Promise<number>): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < count; n += 1) found.push(await ask(n));
  return found;
}

const fiveThenRefused = [200, 200, 200, 200, 200, 429];

describe("examples/jwt-identity", () => {
  it("counts accounts, callers with a user id, and addresses separately", async () => {
    const origin = await originOf("jwt-identity", { TOKEN_SECRET: secret });
    const asking = (headers: Record<string, string>) => async () => {
      const response = await fetch(origin, { headers });
      await response.text();
      return response.status;
    };
    const ann = await bearing("ann");
    expect(await times(6, asking({ "X-User-Id": "ann" }))).toEqual(fiveThenRefused);
    expect(await times(6, asking(ann))).toEqual(fiveThenRefused);
    expect(await times(6, asking(await bearing("ann", `${secret}!`)))).toEqual(fiveThenRefused);
    expect(await times(1, asking(await bearing("bob")))).toEqual([200]);
  });
});

describe("examples/per-plan", () => {
  it("gives each account the limits of its plan", async () => {
    const origin = await originOf("per-plan");
    const asking = (key: string) => async () => {
      const response = await fetch(origin, { headers: { "X-Api-Key": key } });
      await response.text();
      return response.status;
    };
    expect(await times(6, asking("key-of-ann"))).toEqual(fiveThenRefused);
    expect(await times(6, asking("key-of-bob"))).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await times(6, (n) => asking(`made-up-${n}`)())).toEqual(fiveThenRefused);
  });
});

describe("examples/redis", () => {
  it("counts two processes together, and shuts down cleanly", async () => {
    const redis = await startRedis();
    ending.push(() => redis.remove());
    const environment = { REDIS_URL: redis.url };
    const [one, two] = [await startExample("redis", environment), await startExample("redis", environment)];
    ending.push(one.stop, two.stop);
    const ask = async (n: number) => (await fetch(n % 2 === 0 ? one.origin : two.origin)).status;
    expect(await times(6, ask)).toEqual(fiveThenRefused);
    expect(redis.command("KEYS", "*")).toContain("{example/ip:127.0.0.1}");
    expect(await Promise.all([one.stop(), two.stop()])).toEqual([0, 0]);
  });
});

describe("examples/behind-nginx", () => {
  async function behindNginx(): Promise<number> {
    const origin = await originOf("behind-nginx", { TOKEN_SECRET: secret });
    const configuration = readFileSync(exampleFile("behind-nginx/nginx.conf"), "utf8");
    const { port, stop } = await startNginx(configuration, Number(new URL(origin).port));
    ending.push(stop);
    return port;
  }

  it("counts a caller by the address that nginx reports, even with forged headers", async () => {
    const port = await behindNginx();
    const forging = (n: number) => {
      const forged = `198.51.100.${n}`;
      return statusFrom("127.0.0.2", port, {
        "X-Forwarded-For": n % 2 === 0 ? forged : `${forged}, 10.0.0.${n}`,
        Forwarded: `for=${forged}`,
        "X-Real-IP": forged,
        "CF-Connecting-IP": forged,
        "X-User-Id": String(n),
      });
    };
    expect(await times(6, forging)).toEqual(fiveThenRefused);
    // The forged address has not been charged.
    expect(await statusFrom("127.0.0.3", port, { "X-Forwarded-For": "127.0.0.2" })).toBe(200);
    expect(await statusFrom("127.0.0.2", port, { "X-Forwarded-For": "127.0.0.3" })).toBe(429);
  });

  it("counts two signed-in users with the same address separately", async () => {
    const port = await behindNginx();
    const [ann, bob] = [await bearing("ann"), await bearing("bob")];
    expect(await times(6, () => statusFrom("127.0.0.4", port, ann))).toEqual(fiveThenRefused);
    expect(await times(6, () => statusFrom("127.0.0.4", port, bob))).toEqual(fiveThenRefused);
    expect(await statusFrom("127.0.0.4", port)).toBe(200);
  });
});

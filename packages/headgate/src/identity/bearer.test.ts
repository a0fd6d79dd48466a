import { createServer } from "node:http";
import { servedBy } from "@headgate/test-servers/frameworks/listening.ts";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { bearerIdentity } from "./bearer.ts";

const now = Date.UTC(2026, 0, 1);
const issuer = "https://issuer.example";
const audience = "chat";
const secret = new TextEncoder().encode("a secret of at least thirty-two bytes");

let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let other: typeof pair;
beforeAll(async () => {
  [pair, other] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
});

async function token(claims: JWTPayload = {}, key = pair.privateKey, kid = "k1"): Promise<string> {
  return new SignJWT({ sub: "42", ...claims })
    .setProtectedHeader({ alg: "ES256", kid })
    .setIssuer(claims.iss ?? issuer)
    .setAudience(claims.aud ?? audience)
    .setExpirationTime(claims.exp ?? now / 1000 + 60)
    .sign(key);
}
const bearing = (jwt: string) => ({ authorization: `Bearer ${jwt}` });
const byKey = () => bearerIdentity({ key: pair.publicKey, issuer, audience, now: () => now });

describe("bearerIdentity", () => {
  it("returns the subject of a valid token", async () => {
    const identity = byKey();
    const jwt = await token();
    expect(await identity(bearing(jwt))).toBe("42");
    expect(await identity(new Headers({ Authorization: `bearer ${jwt}` }))).toBe("42");
  });

  it.each<[string, () => Promise<string> | string]>([
    ["signed by another key", () => token({}, other.privateKey)],
    ["expired", () => token({ exp: now / 1000 - 6 })],
    ["not yet valid", () => token({ nbf: now / 1000 + 6 })],
    ["of another issuer", () => token({ iss: "https://else.example" })],
    ["for another service", () => token({ aud: "mail" })],
    ["without a subject", () => token({ sub: "" })],
    ["with a subject that is not a string", () => token({ sub: 7 as unknown as string })],
    ["not signed", () => new UnsecuredJWT({ sub: "42" }).setIssuer(issuer).setAudience(audience).encode()],
    [
      "signed with the public key as a secret",
      async () =>
        new SignJWT({ sub: "42", iss: issuer, aud: audience })
          .setProtectedHeader({ alg: "HS256" })
          .sign(new TextEncoder().encode(JSON.stringify(await exportJWK(pair.publicKey)))),
    ],
    ["altered", async () => (await token()).replace(/\.[^.]+\./, (part) => `${part.slice(0, -2)}x.`)],
    ["garbage", () => "a.b.c"],
    ["too long to be verified", () => `a.${"b".repeat(10_000)}.c`],
  ])("returns null for a token that is %s, and reports nothing", async (_what, make) => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    expect(await byKey()(bearing(await make()))).toBeNull();
    expect(error).not.toHaveBeenCalled();
    error.mockRestore();
  });

  it.each([[{}], [{ authorization: "" }], [{ authorization: "Basic YTpi" }], [{ authorization: "Bearer" }]])(
    "returns null for %j",
    async (headers) => {
      expect(await byKey()(headers)).toBeNull();
    },
  );

  it("tolerates a small error of the issuer's clock", async () => {
    expect(await byKey()(bearing(await token({ exp: now / 1000 - 4 })))).toBe("42");
  });

  it("accepts a shared secret, and another claim", async () => {
    const identity = bearerIdentity({ key: secret, claim: "email", now: () => now });
    const jwt = await new SignJWT({ email: "a@b.example" }).setProtectedHeader({ alg: "HS256" }).sign(secret);
    expect(await identity(bearing(jwt))).toBe("a@b.example");
  });

  it("finds the token's key among the issuer's keys, even during a key rotation", async () => {
    const keys = [
      { ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "ES256" },
      { ...(await exportJWK(other.publicKey)), kid: "k2", alg: "ES256" },
    ];
    const identity = bearerIdentity({ jwks: { keys }, issuer, audience, now: () => now });
    expect(await identity(bearing(await token()))).toBe("42");
    expect(await identity(bearing(await token({}, other.privateKey, "k2")))).toBe("42");
    expect(await identity(bearing(await token({}, other.privateKey, "k3")))).toBeNull();
  });

  it("fetches the issuer's keys once, and reports when they cannot be fetched", async () => {
    let asked = 0;
    const published = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "ES256" }] };
    const server = createServer((_request, response) => {
      asked += 1;
      response.setHeader("Content-Type", "application/json").end(JSON.stringify(published));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { origin, close } = servedBy(server);
    const options = { jwks: `${origin}/jwks.json`, issuer, audience, now: () => now };
    const identity = bearerIdentity(options);
    const headers = bearing(await token());
    expect([await identity(headers), await identity(headers), asked]).toEqual(["42", "42", 1]);
    await close();
    const onError = vi.fn();
    expect(await bearerIdentity({ ...options, onError })(headers)).toBeNull();
    expect(onError).toHaveBeenCalledOnce();
  });

  it.each<[string, Parameters<typeof bearerIdentity>[0] | object, string]>([
    ["neither key nor keys", {}, "either key or jwks"],
    ["both", { key: secret, jwks: { keys: [] }, issuer, audience }, "either key or jwks"],
    ["a short secret", { key: new Uint8Array(31) }, "at least 32 bytes, got 31"],
    ["keys without an audience", { jwks: { keys: [] }, issuer }, "jwks needs issuer and audience"],
    ["keys at no address", { jwks: "issuer", issuer, audience }, 'got "issuer"'],
  ])("refuses %s", (_what, options, message) => {
    expect(() => bearerIdentity(options as Parameters<typeof bearerIdentity>[0])).toThrow(message);
  });
});

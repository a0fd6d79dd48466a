import { createHmac } from "node:crypto";
import fc from "fast-check";
import { generateSignedCookie } from "hono/cookie";
import { describe, expect, it } from "vitest";
import { signCookie, signedCookieIdentity } from "./signed-cookie.ts";

const secret = "correct horse battery";
const older = "an older secret of ours";
const identity = signedCookieIdentity({ name: "session", secret });
const holding = (value: string) => ({ cookie: `theme=dark; session=${value}; other=1` });

/** Signs like Express's `cookie-parser` and `@fastify/cookie`. */
const hmac = (id: string, by = secret) =>
  createHmac("sha256", by).update(id).digest("base64").replace(/=+$/, "");

describe("signedCookieIdentity", () => {
  it("reads what signCookie writes, whatever the id", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }), async (text) => {
        const id = `u${text}`;
        expect(await identity(holding(await signCookie(id, secret)))).toBe(id);
      }),
    );
  });

  it("reads what Express, Fastify and Hono write", async () => {
    expect(await identity(holding(encodeURIComponent(`s:42.${hmac("42")}`)))).toBe("42");
    expect(await identity(holding(encodeURIComponent(`42.${hmac("42")}`)))).toBe("42");
    const byHono = await generateSignedCookie("session", "a.b", secret, { path: "/" });
    expect(await identity(new Headers({ Cookie: byHono.split(";")[0] ?? "" }))).toBe("a.b");
  });

  it.each([
    ["no cookie", {}],
    ["another one", { cookie: "xsession=1; sessions=2" }],
    ["one without a signature", holding("42")],
    ["an empty id", holding(`.${hmac("")}`)],
    ["another's signature", holding(encodeURIComponent(`43.${hmac("42")}`))],
    ["another secret's signature", holding(encodeURIComponent(`42.${hmac("42", older)}`))],
    ["half a signature", holding(encodeURIComponent(`42.${hmac("42").slice(0, 20)}`))],
    ["a value that cannot be decoded", holding("%E0%A4%A")],
    ["a value that is too long", holding(`${"a".repeat(5000)}.${hmac("42")}`)],
  ])("returns null for %s", async (_what, headers) => {
    expect(await identity(headers)).toBeNull();
  });

  it("returns null for a value that was altered anywhere", async () => {
    const good = decodeURIComponent(await signCookie("42", secret));
    for (let at = 0; at < good.length - 2; at += 1) {
      const other = good[at] === "A" ? "B" : "A";
      const altered = good.slice(0, at) + other + good.slice(at + 1);
      expect(await identity(holding(encodeURIComponent(altered))), altered).toBeNull();
    }
  });

  it("verifies with both secrets during a rotation, and signs with the new one", async () => {
    const both = signedCookieIdentity({ name: "session", secret: [secret, older] });
    expect(await both(holding(await signCookie("42", older)))).toBe("42");
    expect(await both(holding(await signCookie("42", [secret, older])))).toBe("42");
    expect(await identity(holding(await signCookie("42", [secret, older])))).toBe("42");
  });

  it.each([
    [{ name: "a b", secret }, 'such as "session", got "a b"'],
    [{ name: "session", secret: "short" }, "at least 16 characters, got 5"],
    [{ name: "session", secret: [] }, "at least one secret"],
  ])("refuses %j", (options, message) => {
    expect(() => signedCookieIdentity(options)).toThrow(message);
  });

  it("refuses to sign an empty id, or with a short secret", async () => {
    await expect(signCookie("", secret)).rejects.toThrow("must not be empty");
    await expect(signCookie("42", "short")).rejects.toThrow("at least 16 characters");
  });
});

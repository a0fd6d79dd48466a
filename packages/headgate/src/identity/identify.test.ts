import { describe, expect, it } from "vitest";
import { parseTrustProxy } from "../http/address/address.ts";
import { identify } from "./identify.ts";

const peer = "203.0.113.9";
const byField = (name: string) => (headers: object) => (headers as Record<string, string>)[name] ?? null;

describe("identify", () => {
  const whoIs = identify({
    verified: [byField("x-first"), async (headers) => byField("x-second")(headers)],
    unverifiedHeader: "X-User-Id",
  });
  it.each<[Record<string, string>, string]>([
    [{ "x-first": "1", "x-second": "2", "x-user-id": "3" }, "account:1"],
    [{ "x-second": "2", "x-user-id": "3" }, "account:2"],
    [{ "x-first": "", "x-user-id": " 3 " }, "user:3"],
    [{ "x-user-id": "account:1" }, "user:account:1"],
    [{ "x-user-id": "   " }, `ip:${peer}`],
    [{ "x-user-id": "3".repeat(257) }, `ip:${peer}`],
    [{}, `ip:${peer}`],
  ])("identifies %j as %s", async (headers, key) => {
    const kind = key.slice(0, key.indexOf(":"));
    expect(await whoIs({ peer, headers })).toEqual({ key, kind, ip: peer });
  });

  it("reads no header unless one is named, and trusts only the configured proxies", async () => {
    const headers = { "x-user-id": "3", "x-forwarded-for": "198.51.100.7" };
    const byTrust = (text: string) => identify({ trust: parseTrustProxy(text) })({ peer, headers });
    expect(await byTrust("none")).toEqual({ key: `ip:${peer}`, kind: "ip", ip: peer });
    expect(await byTrust("1")).toEqual({ key: "ip:198.51.100.7", kind: "ip", ip: "198.51.100.7" });
  });

  it("rejects if an identity rejects, so that the guard reports it", async () => {
    const failing = identify({
      verified: () => {
        throw new Error("the session store is unavailable");
      },
    });
    await expect(failing({ peer, headers: {} })).rejects.toThrow("the session store is unavailable");
  });

  it("refuses an invalid header name", () => {
    expect(() => identify({ unverifiedHeader: "X User" })).toThrow('such as "X-User-Id", got "X User"');
  });
});

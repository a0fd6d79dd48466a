import { describe, expect, it, vi } from "vitest";
import { callerAddress, type HeaderFields, parseTrustProxy } from "./address.ts";

const publicPeer = "203.0.113.9";
const forwarded = { "x-forwarded-for": "198.51.100.7" };

function warningsFor(
  sources: { peer: string | undefined; headers: HeaderFields }[],
  text = "private",
): string[] {
  const warnings: string[] = [];
  const trust = parseTrustProxy(text, { onWarning: (warning) => warnings.push(warning) });
  for (const source of sources) callerAddress(source, trust);
  return warnings;
}

describe("a forwarding header from an untrusted peer", () => {
  it.each<[string, string | undefined, HeaderFields, string]>([
    ["X-Forwarded-For", publicPeer, forwarded, "from a public address carries X-Forwarded-For,"],
    ["Forwarded", "2001:db8::1", { forwarded: "for=198.51.100.7" }, "carries Forwarded,"],
    [
      "a platform's field",
      publicPeer,
      new Headers({ "CF-Connecting-IP": "198.51.100.7" }),
      "CF-Connecting-IP,",
    ],
    ["X-Real-IP, mapped", `::ffff:${publicPeer}`, { "x-real-ip": "198.51.100.7" }, "carries X-Real-IP,"],
    ["without a peer", undefined, forwarded, "from a peer without an address carries X-Forwarded-For,"],
  ])("is reported once, without an address: %s", (_which, peer, headers, spelling) => {
    const warnings = warningsFor([
      { peer, headers },
      { peer, headers },
    ]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(spelling);
    expect(warnings[0]).toContain('parseTrustProxy("cloudflare")');
    expect(warnings[0]).not.toMatch(/198\.51\.100\.7|203\.0\.113\.9|2001:db8/);
  });

  it("causes no warning if a trusted proxy sent it, or if there is none", () => {
    expect(warningsFor([{ peer: "10.0.0.1", headers: forwarded }])).toEqual([]);
    expect(warningsFor([{ peer: publicPeer, headers: { host: "example.com" } }])).toEqual([]);
  });

  it("is reported on the console only by the default setting", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const source = { peer: publicPeer, headers: forwarded };
    callerAddress(source, parseTrustProxy("private"));
    expect(warn).not.toHaveBeenCalled();
    expect([callerAddress(source), callerAddress(source)]).toEqual([publicPeer, publicPeer]);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^headgate: A request from a public address/)]]);
    warn.mockRestore();
  });

  it("is looked for in the first requests only", () => {
    const plain = Array.from({ length: 10_000 }, () => ({ peer: publicPeer, headers: {} }));
    const late = { peer: publicPeer, headers: forwarded };
    expect(warningsFor([...plain.slice(1), late])).toHaveLength(1);
    expect(warningsFor([...plain, late])).toEqual([]);
  });

  it("does not break the request if the listener throws", () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const trust = parseTrustProxy("none", {
      onWarning() {
        throw new Error("the listener's");
      },
    });
    expect(callerAddress({ peer: publicPeer, headers: forwarded }, trust)).toBe(publicPeer);
    expect(error).toHaveBeenCalledOnce();
    error.mockRestore();
  });
});

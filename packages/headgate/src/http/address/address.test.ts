import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { HeadgateError } from "../../core/errors.ts";
import { callerAddress, type HeaderFields, parseTrustProxy } from "./address.ts";

const client = "198.51.100.7";

function key(peer: string | null | undefined, forwardedFor: string | undefined, trust?: string): string {
  return callerAddress(
    { peer, headers: { "x-forwarded-for": forwardedFor } },
    trust === undefined ? undefined : parseTrustProxy(trust),
  );
}

describe("by default", () => {
  // The warning about forged headers has its own test.
  beforeAll(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
  afterAll(() => void vi.restoreAllMocks());

  it.each([
    // peer, X-Forwarded-For, key
    ["198.51.100.7", undefined, "198.51.100.7"],
    ["198.51.100.7", "9.9.9.9", "198.51.100.7"],
    ["::ffff:198.51.100.7", "9.9.9.9", "198.51.100.7"],
    ["2001:db8:1:2::3", "9.9.9.9", "2001:db8:1:2::/64"],
    ["127.0.0.1", undefined, "127.0.0.1"],
    ["127.0.0.1", "", "127.0.0.1"],
    ["127.0.0.1", "198.51.100.7", "198.51.100.7"],
    ["::1", "198.51.100.7", "198.51.100.7"],
    ["::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"],
    ["::FFFF:A00:1", "198.51.100.7", "198.51.100.7"],
    ["10.255.255.255", "198.51.100.7", "198.51.100.7"],
    ["172.16.0.1", "198.51.100.7", "198.51.100.7"],
    ["172.31.255.255", "198.51.100.7", "198.51.100.7"],
    ["172.32.0.1", "198.51.100.7", "172.32.0.1"],
    ["192.168.1.1", "198.51.100.7", "198.51.100.7"],
    ["169.254.1.1", "198.51.100.7", "198.51.100.7"],
    ["fe80::1%eth0", "198.51.100.7", "198.51.100.7"],
    ["fd00::1", "198.51.100.7", "198.51.100.7"],
    ["fec0::1", "198.51.100.7", "fec0::/64"],
    ["100.64.0.1", "198.51.100.7", "100.64.0.1"],
    ["10.0.0.1", "9.9.9.9, 198.51.100.7", "198.51.100.7"],
    ["10.0.0.1", "9.9.9.9,198.51.100.7,10.0.0.2,192.168.0.9", "198.51.100.7"],
    ["10.0.0.1", "2001:db8:1:2::3", "2001:db8:1:2::/64"],
    ["10.0.0.1", "[2001:db8:1:2::3]:4711", "2001:db8:1:2::/64"],
    ["10.0.0.1", "198.51.100.7:4711", "198.51.100.7"],
    ["10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["10.0.0.1", "198.51.100.7, , ", "198.51.100.7"],
    // Entries to the left of an unreadable entry are not trusted.
    ["10.0.0.1", "9.9.9.9, unknown", "10.0.0.1"],
    ["10.0.0.1", "9.9.9.9, garbage, 10.0.0.2", "10.0.0.2"],
    ["10.0.0.1", "9.9.9.9, 1.2.3.4.5, 10.0.0.2", "10.0.0.2"],
    ["10.0.0.1", "9.9.9.9; 10.0.0.2", "10.0.0.1"],
    ["10.0.0.1", '"198.51.100.7"', "10.0.0.1"],
    [undefined, "198.51.100.7", "unknown"],
    [null, "198.51.100.7", "unknown"],
    // NAT64 is keyed by the IPv4 address inside, which has no effect on trust.
    ["64:ff9b::198.51.100.9", "9.9.9.9", "198.51.100.9"],
    ["64:ff9b::a00:1", "9.9.9.9", "10.0.0.1"],
    ["10.0.0.1", "64:ff9b::c633:6407", "198.51.100.7"],
    ["64:ff9b:1::c633:6407", undefined, "64:ff9b:1::/64"],
    ["", "198.51.100.7", "unknown"],
    ["/run/app.sock", "198.51.100.7", "unknown"],
    ["010.0.0.1", "198.51.100.7", "unknown"],
  ])("the peer %s with %s is %s", (peer, forwardedFor, expected) => {
    expect(key(peer, forwardedFor)).toBe(expected);
  });

  it("reads headers of every type", () => {
    const shapes: HeaderFields[] = [
      new Headers({ "X-Forwarded-For": `9.9.9.9, ${client}` }),
      new Headers([
        ["X-Forwarded-For", "9.9.9.9"],
        ["X-Forwarded-For", client],
      ]),
      { "x-forwarded-for": `9.9.9.9, ${client}` },
      { "X-Forwarded-For": `9.9.9.9, ${client}` },
      { "x-forwarded-for": ["9.9.9.9", client] },
      { get: "a field of this name", "x-forwarded-for": client },
    ];
    for (const headers of shapes) expect(callerAddress({ peer: "10.0.0.1", headers })).toBe(client);
  });

  it("does not guess which of two spellings the proxy wrote", () => {
    const headers = { "x-forwarded-for": "9.9.9.9", "X-Forwarded-For": client };
    expect(callerAddress({ peer: "10.0.0.1", headers })).toBe("10.0.0.1");
  });

  it("does not read the header that the proxy did not write", () => {
    const headers = { forwarded: "for=9.9.9.9", "x-real-ip": "9.9.9.9", "cf-connecting-ip": "9.9.9.9" };
    expect(callerAddress({ peer: "10.0.0.1", headers })).toBe("10.0.0.1");
  });
});

describe("bounds", () => {
  it("reads 32 entries and no more", () => {
    const proxies = (count: number) =>
      Array.from({ length: count }, (_, index) => `10.0.1.${index}`).join(", ");
    expect(key("10.0.0.1", `${client}, ${proxies(31)}`)).toBe(client);
    expect(key("10.0.0.1", `${client}, ${proxies(32)}`)).toBe("10.0.1.0");
  });

  it("reads 4,096 characters and no more, and never part of an address", () => {
    const padding = (length: number) => " ".repeat(length);
    expect(key("10.0.0.1", `9.9.9.9, ${client},${padding(4000)}10.0.0.2`)).toBe(client);
    for (let length = 4060; length < 4110; length++) {
      const found = key("10.0.0.1", `9.9.9.9,${client},${padding(length)}10.0.0.2`);
      expect([client, "10.0.0.2", "10.0.0.1"]).toContain(found);
    }
    expect(key("10.0.0.1", `${client},${padding(5000)}10.0.0.2`)).toBe("10.0.0.1");
    expect(key("10.0.0.1", `${"9.9.9.9,".repeat(100_000)}${client}`)).toBe(client);
  });
});

describe("settings", () => {
  it.each([
    // setting, peer, X-Forwarded-For, key
    ["none", "10.0.0.1", client, "10.0.0.1"],
    ["0", "10.0.0.1", client, "10.0.0.1"],
    ["none", undefined, client, "unknown"],
    ["none", null, client, "unknown"],
    ["1", "203.0.113.9", `9.9.9.9, ${client}`, client],
    ["1", null, `9.9.9.9, ${client}`, client],
    ["1", undefined, `9.9.9.9, ${client}`, "unknown"],
    ["1", "203.0.113.9", undefined, "203.0.113.9"],
    ["1", "203.0.113.9", "9.9.9.9, garbage", "203.0.113.9"],
    ["2", "203.0.113.9", `9.9.9.9, ${client}, 203.0.113.8`, client],
    ["2", "203.0.113.9", `9.9.9.9, ${client}, garbage`, "203.0.113.9"],
    ["2", "203.0.113.9", client, client],
    ["1", "10.0.0.1", `9.9.9.9, 10.0.0.7`, "10.0.0.7"],
    ["203.0.113.9", "203.0.113.9", `9.9.9.9, ${client}`, client],
    ["203.0.113.9", "10.0.0.1", client, "10.0.0.1"],
    ["203.0.113.0/24, 2001:db8::/32", "203.0.113.255", `${client}, 2001:db8:9::1`, client],
    ["203.0.113.0/25", "203.0.113.255", client, "203.0.113.255"],
    ["2001:db8::/32", "2001:db9::1", client, "2001:db9::/64"],
    ["2001:db8::/33", "2001:db8:7fff::1", client, client],
    ["2001:db8::/33", "2001:db8:8000::1", client, "2001:db8:8000::/64"],
    ["::ffff:203.0.113.0/120", "203.0.113.9", client, client],
    ["0.0.0.0/1", "127.0.0.1", client, client],
    ["128.0.0.0/1", "203.0.113.9", "1.1.1.1, 9.9.9.9", "9.9.9.9"],
    ["private 203.0.113.9", "10.0.0.1", `${client}, 203.0.113.9`, client],
    ["PRIVATE, shared", "100.64.3.4", client, client],
    ["loopback", "127.9.9.9", client, client],
    ["loopback", "10.0.0.1", client, "10.0.0.1"],
    ["link-local", "169.254.1.1", client, client],
    ["first", "203.0.113.9", `9.9.9.9, ${client}`, "9.9.9.9"],
    ["first", null, "9.9.9.9", "9.9.9.9"],
    ["first", undefined, "9.9.9.9", "unknown"],
    ["first", "203.0.113.9", undefined, "203.0.113.9"],
    ["first", "203.0.113.9", `_hidden, ${client}`, client],
  ])("%j: the peer %s with %s is %s", (setting, peer, forwardedFor, expected) => {
    expect(key(peer, forwardedFor, setting)).toBe(expected);
  });

  it.each([
    // Forwarded, key
    [`for=9.9.9.9, for=${client}`, client],
    [`For="${client}:4711";proto=https;by=10.0.0.1`, client],
    ['for="[2001:db8:1:2::3]:4711"', "2001:db8:1:2::/64"],
    [`proto=https; for=${client} ;host="a, b;for=9.9.9.9"`, client],
    [`for="9.9.9.9, for=${client}`, client],
    [`for=9.9.9.9;x=", for="${client}"`, client],
    [`for=${client}, for=10.0.0.2`, client],
    [`for=9.9.9.9, for=_hidden`, "10.0.0.1"],
    [`for=9.9.9.9, for=unknown, for=10.0.0.2`, "10.0.0.2"],
    [`for=9.9.9.9, proto=https`, "10.0.0.1"],
    [`for=9.9.9.9;for=${client}`, "10.0.0.1"],
    [`for = ${client}`, "10.0.0.1"],
    [client, "10.0.0.1"],
    ["", "10.0.0.1"],
  ])("Forwarded: %s is %s", (forwarded, expected) => {
    const headers = { forwarded, "x-forwarded-for": "8.8.8.8" };
    expect(callerAddress({ peer: "10.0.0.1", headers }, parseTrustProxy("private, forwarded"))).toBe(
      expected,
    );
  });

  it("counts hops in Forwarded too", () => {
    const source = { peer: "203.0.113.9", headers: { forwarded: `for=9.9.9.9, for=${client}` } };
    expect(callerAddress(source, parseTrustProxy("1 forwarded"))).toBe(client);
  });

  it("keys IPv6 by the configured prefix length", () => {
    const source = { peer: "2001:db8:1:2::3", headers: {} };
    expect(callerAddress(source, parseTrustProxy("none", { ipv6PrefixLength: 48 }))).toBe("2001:db8:1::/48");
    expect(callerAddress(source, parseTrustProxy("none", { ipv6PrefixLength: 128 }))).toBe("2001:db8:1:2::3");
  });
});

describe("platforms", () => {
  const edge = "172.68.1.2";
  it.each([
    // platform, peer, headers, key
    ["heroku", "10.1.2.3", { "x-forwarded-for": `9.9.9.9, ${client}` }, client],
    ["heroku", "10.1.2.3", { "x-forwarded-for": "9.9.9.9, 10.0.0.7" }, "10.0.0.7"],
    ["heroku", "203.0.113.9", { "x-forwarded-for": client }, "203.0.113.9"],
    ["nginx", "127.0.0.1", { "x-forwarded-for": `9.9.9.9, ${client}` }, client],
    ["nginx", null, { "x-forwarded-for": `9.9.9.9, ${client}` }, client],
    ["nginx", undefined, { "x-forwarded-for": `9.9.9.9, ${client}` }, "unknown"],
    ["aws-alb", "10.0.3.4", { "x-forwarded-for": `9.9.9.9, ${client}:4711` }, client],
    ["azure", "169.254.129.1", { "x-forwarded-for": `${client}:4711` }, client],
    ["google-cloud-run", "169.254.1.1", { "x-forwarded-for": `9.9.9.9, ${client}` }, client],
    ["google-load-balancer", "35.191.3.4", { "x-forwarded-for": `9.9.9.9, ${client}, 34.1.2.3` }, client],
    ["google-load-balancer", "203.0.113.9", { "x-forwarded-for": `${client}, 34.1.2.3` }, "203.0.113.9"],
    ["fly", "172.16.5.6", { "fly-client-ip": client, "x-forwarded-for": "9.9.9.9, 66.1.2.3" }, client],
    ["fly", "203.0.113.9", { "fly-client-ip": "9.9.9.9" }, "203.0.113.9"],
    ["fly", "172.16.5.6", { "fly-client-ip": "9.9.9.9, 8.8.8.8" }, "172.16.5.6"],
    ["fly", "172.16.5.6", {}, "172.16.5.6"],
    ["railway", "100.64.0.2", { "x-real-ip": client }, client],
    ["netlify", undefined, { "x-nf-client-connection-ip": client }, "unknown"],
    ["netlify", null, { "x-nf-client-connection-ip": client }, client],
    ["vercel", null, { "x-vercel-forwarded-for": "2001:db8:1:2::3" }, "2001:db8:1:2::/64"],
    ["vercel", null, {}, "unknown"],
    ["vercel", undefined, { "x-vercel-forwarded-for": client }, "unknown"],
    ["cloudflare", edge, { "cf-connecting-ip": client, "x-forwarded-for": `9.9.9.9, ${client}` }, client],
    ["cloudflare", "2606:4700::1", { "cf-connecting-ip": client }, client],
    ["cloudflare", edge, {}, edge],
    ["cloudflare", edge, { "cf-connecting-ip": "9.9.9.9, 8.8.8.8" }, edge],
    // Directly to the origin, not through Cloudflare: the caller wrote the header.
    ["cloudflare", "203.0.113.9", { "cf-connecting-ip": "9.9.9.9", "x-forwarded-for": edge }, "203.0.113.9"],
    // A private proxy between Cloudflare and the service.
    [
      "cloudflare",
      "10.0.0.1",
      { "cf-connecting-ip": client, "x-forwarded-for": `${client}, ${edge}` },
      client,
    ],
    [
      "cloudflare",
      "10.0.0.1",
      { "cf-connecting-ip": "9.9.9.9", "x-forwarded-for": `${edge}, 203.0.113.9` },
      "203.0.113.9",
    ],
    // A tunnel passes on Cloudflare's header.
    ["cloudflare", "127.0.0.1", { "cf-connecting-ip": client, "x-forwarded-for": client }, client],
    // Cloudflare's machines have addresses, so a peer without one is not Cloudflare.
    ["cloudflare", undefined, { "cf-connecting-ip": client }, "unknown"],
    ["cloudflare", null, { "cf-connecting-ip": client, "x-forwarded-for": edge }, "unknown"],
    ["cloudflare", "10.0.0.1", { "cf-connecting-ip": "9.9.9.9" }, "10.0.0.1"],
    // In a worker there is no peer.
    ["cloudflare-workers", null, { "cf-connecting-ip": client }, client],
    ["cloudflare-workers", undefined, { "cf-connecting-ip": client }, "unknown"],
    ["cloudflare-workers", edge, { "cf-connecting-ip": "9.9.9.9" }, edge],
    [
      "render",
      "10.0.0.1",
      { "cf-connecting-ip": client, "x-forwarded-for": `${client}, ${edge}, 10.0.0.2` },
      client,
    ],
  ])("%s: the peer %s with %j is %s", (platform, peer, headers, expected) => {
    expect(callerAddress({ peer, headers: headers as HeaderFields }, parseTrustProxy(platform))).toBe(
      expected,
    );
  });
});

describe("parseTrustProxy refuses", () => {
  it.each([
    ["", "it is empty"],
    [" , ", "it is empty"],
    ["forwarded", "it is empty"],
    ["banana", '"banana" is neither an address nor a network'],
    ["toString", '"tostring" is neither'],
    ["true", '"true" is neither'],
    ["10.0.0.0/33", '"10.0.0.0/33" has a prefix length that is not within 0 to 32'],
    ["2001:db8::/129", "within 0 to 128"],
    ["::ffff:10.0.0.0/64", "within 96 to 128"],
    ["10.0.0.0/", '"10.0.0.0/" has a prefix length'],
    ["10.0.0.0/8/8", "neither"],
    ["10.0.0.1:80", "neither"],
    ["[::1]", "neither"],
    ["fe80::1%eth0", "neither"],
    ["10.1.2.3/8", "write 10.0.0.0/8"],
    ["2001:db8:1::/32", "write 2001:db8::/32"],
    ["0.0.0.0/0", 'use "first"'],
    ["::/0", 'use "first"'],
    ["-1", '"-1" is neither'],
    ["33", "a hop count is a whole number from 0 to 32"],
    ["1.5", '"1.5" is neither'],
    ["1, 10.0.0.0/8", '"1" cannot be combined with others'],
    ["none, private", '"none" cannot be combined with others'],
    ["private, cloudflare", '"cloudflare" cannot be combined with others'],
    ["private, first", '"first" cannot be combined with others'],
    ["fly, forwarded", 'does not write "forwarded"'],
  ])("%j, saying %j", (text, reason) => {
    const attempt = () => parseTrustProxy(text);
    expect(attempt).toThrow(HeadgateError);
    expect(attempt).toThrow(`Cannot read "${text}" as trusted proxies: `);
    expect(attempt).toThrow(reason);
    expect(attempt).toThrow('a hop count such as "1"');
    expect(attempt).toThrow(expect.objectContaining({ code: "trust-proxy-unreadable" }));
  });

  it.each([0, 129, 1.5, Number.NaN])("an IPv6 prefix length of %s", (ipv6PrefixLength) => {
    expect(() => parseTrustProxy("none", { ipv6PrefixLength })).toThrow(
      `from 1 to 128, got ${ipv6PrefixLength}`,
    );
  });
});

describe("headers that a caller makes up", () => {
  const anyAddress = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom("10.0.0.9", "127.0.0.1", "::1", "fd00::9"),
  );
  const junk = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({ unit: fc.constantFrom(...'0123456789.:,[]"=;%_abf \t\\'), maxLength: 200 }),
    fc.array(anyAddress, { maxLength: 50 }).map((addresses) => addresses.join(", ")),
  );
  const everySetting = fc.constantFrom(
    ...[
      "private",
      "none",
      "1",
      "2",
      "first",
      "10.0.0.0/8",
      "private, forwarded",
      "cloudflare",
      "fly",
      "heroku",
    ].map((text) => parseTrustProxy(text)),
  );

  it("never throws, and returns an address or unknown", () => {
    const names = ["x-forwarded-for", "forwarded", "cf-connecting-ip", "fly-client-ip"];
    const headers = fc.dictionary(
      fc.constantFrom(...names),
      fc.oneof(junk, fc.array(junk, { maxLength: 3 })),
    );
    const peer = fc.oneof(fc.constant(undefined), anyAddress, junk);
    fc.assert(
      fc.property(peer, headers, everySetting, (anyPeer, fields, trust) => {
        const found = callerAddress({ peer: anyPeer, headers: fields as HeaderFields }, trust);
        expect(found).toMatch(/^(unknown|\d+\.\d+\.\d+\.\d+|[\da-f:]+\/64)$/);
      }),
      { numRuns: 1000 },
    );
  });

  it("ignores everything to the left of the entry that a trusted proxy wrote", () => {
    fc.assert(
      fc.property(
        junk,
        fc.nat(3),
        fc.constantFrom("private", "nginx", "heroku"),
        (forged, proxies, setting) => {
          const chain = [
            client,
            ...Array.from({ length: setting === "private" ? proxies : 0 }, (_, index) => `10.0.2.${index}`),
          ];
          expect(key("10.0.0.1", `${forged}, ${chain.join(", ")}`, setting)).toBe(client);
          expect(key(client, forged, setting)).toBe(client);
          const forwarded = `${forged}, ${chain.map((address) => `for="${address}"`).join(", ")}`;
          const source = { peer: "10.0.0.1", headers: { forwarded, "x-forwarded-for": forged } };
          if (setting === "private")
            expect(callerAddress(source, parseTrustProxy("private forwarded"))).toBe(client);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("ignores forged headers of other platforms", () => {
    const source = (forged: string) => ({
      peer: client,
      headers: {
        "cf-connecting-ip": forged,
        "fly-client-ip": forged,
        "x-real-ip": forged,
        "x-forwarded-for": forged,
      },
    });
    const settings = [
      "cloudflare",
      "render",
      "fly",
      "railway",
      "netlify",
      "vercel",
      "nginx",
      "google-load-balancer",
    ];
    fc.assert(
      fc.property(anyAddress, fc.constantFrom(...settings), (forged, setting) => {
        expect(callerAddress(source(forged), parseTrustProxy(setting))).toBe(client);
      }),
    );
  });
});

describe("without an address", () => {
  it("warns once that all such callers share a key, without naming any of them", async () => {
    vi.resetModules();
    const fresh = await import("./address.ts");
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const trust = fresh.parseTrustProxy("none");
    const headers = { "x-forwarded-for": client };
    expect(fresh.callerAddress({ peer: client, headers }, trust)).toBe(client);
    expect(warn).not.toHaveBeenCalled();
    for (const peer of [undefined, null, "/run/app.sock"])
      expect(fresh.callerAddress({ peer, headers }, trust)).toBe("unknown");
    expect(warn.mock.calls).toEqual([[expect.stringContaining("all such callers share one key")]]);
    expect(String(warn.mock.calls)).not.toContain(client);
    warn.mockRestore();
  });
});

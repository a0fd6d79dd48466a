import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizeAddress } from "./address.ts";
import { renderIpv6 } from "./address-text.ts";

describe("normalizeAddress", () => {
  it.each([
    ["1.2.3.4", "1.2.3.4"],
    [" 1.2.3.4 ", "1.2.3.4"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["1.2.3.4:567", "1.2.3.4"],
    ["[1.2.3.4]", undefined],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:1.2.3.4", "1.2.3.4"],
    ["::ffff:102:304", "1.2.3.4"],
    ["0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"],
    ["[::ffff:1.2.3.4]:80", "1.2.3.4"],
    ["::ffff:255.255.255.255", "255.255.255.255"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:0001:0002:3:4:5:6", "2001:db8:1:2::/64"],
    ["[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"],
    ["[2001:db8:1:2::9]", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9%eth0", "2001:db8:1:2::/64"],
    ["fe80::1%25en0", "fe80::/64"],
    ["2001:db8::", "2001:db8::/64"],
    ["::1", "::/64"],
    ["::", "::/64"],
    ["1::2:3:4:5:6:7", "1:0:2:3::/64"],
    ["2001:db8:0:1::1.2.3.4", "2001:db8:0:1::/64"],
    // Not addresses:
    ["", undefined],
    [" ", undefined],
    ["unknown", undefined],
    ["_hidden", undefined],
    ["1.2.3", undefined],
    ["1.2.3.4.5", undefined],
    ["1.2.3.256", undefined],
    ["01.2.3.4", undefined],
    ["1.2.3.04", undefined],
    ["00.0.0.0", undefined],
    ["1.2.3.-4", undefined],
    ["1..2.3", undefined],
    [".1.2.3.4", undefined],
    ["1.2.3.4.", undefined],
    ["0x7f.0.0.1", undefined],
    ["2130706433", undefined],
    ["1.2.3.4:", undefined],
    ["1.2.3.4:http", undefined],
    ["1.2.3.4%eth0", undefined],
    ["1.2.3.4, 5.6.7.8", undefined],
    ["１.2.3.4", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1:2:3:4:5:6:7::8", undefined],
    ["1::2::3", undefined],
    [":::", undefined],
    [":1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:", undefined],
    ["12345::", undefined],
    ["g::", undefined],
    ["::1.2.3.4:5", undefined],
    ["1.2.3.4::", undefined],
    ["[::1", undefined],
    ["::1]", undefined],
    ["[::1]:port", undefined],
    ["[]", undefined],
    [`::${"1".repeat(200)}`, undefined],
  ])("reads %j as %s", (text, expected) => {
    expect(normalizeAddress(text)).toBe(expected);
  });

  it.each([
    [128, "2001:db8:1:2:3:4:5:6"],
    [64, "2001:db8:1:2::/64"],
    [56, "2001:db8:1::/56"],
    [48, "2001:db8:1::/48"],
    [33, "2001:db8::/33"],
    [1, "::/1"],
  ])("counts the first %i bits of an IPv6 address", (length, expected) => {
    expect(normalizeAddress("2001:db8:1:2:3:4:5:6", length)).toBe(expected);
  });
});

/** Eight groups with many zeros. */
const anyGroups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
  minLength: 8,
  maxLength: 8,
});
const anyIpv4 = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 })
  .map((bytes) => bytes.join("."));

describe("the key of an address", () => {
  it("is the same for every form of an IPv6 address", () => {
    fc.assert(
      fc.property(anyGroups, fc.boolean(), fc.nat(65535), (groups, isUpper, port) => {
        const hex = groups.map((group) => group.toString(16));
        const [high = 0, low = 0] = groups.slice(6);
        const dotted = `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
        const forms = [
          hex.join(":"),
          hex.map((group) => group.padStart(4, "0")).join(":"),
          renderIpv6(groups),
          `${hex.slice(0, 6).join(":")}:${dotted}`,
        ].map((form) => (isUpper ? form.toUpperCase() : form));
        const keys = forms.flatMap((form) =>
          [form, `[${form}]`, `[${form}]:${port}`, `${form}%eth0`, ` ${form}\t`].map((text) =>
            normalizeAddress(text, 128),
          ),
        );
        expect(new Set(keys).size).toBe(1);
        expect(keys[0]).toBeTypeOf("string");
      }),
    );
  });

  it("is the same for every form of an IPv4 address", () => {
    fc.assert(
      fc.property(anyIpv4, fc.nat(65535), (address, port) => {
        const forms = [
          address,
          `${address}:${port}`,
          `::ffff:${address}`,
          `[::FFFF:${address}]:${port}`,
          ` ${address} `,
        ];
        expect(new Set(forms.map((form) => normalizeAddress(form)))).toEqual(new Set([address]));
      }),
    );
  });

  it("renders IPv6 by RFC 5952, like the platform's URL parser", () => {
    fc.assert(
      fc.property(anyGroups, (groups) => {
        const full = groups.map((group) => group.toString(16)).join(":");
        expect(`[${renderIpv6(groups)}]`).toBe(new URL(`http://[${full}]/`).hostname);
      }),
    );
  });

  it("never throws for a text that is not an address", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."0123:.[]%af/ ") })),
        (text) => {
          const key = normalizeAddress(text);
          if (key !== undefined && !key.endsWith("/64")) expect(normalizeAddress(key)).toBe(key);
        },
      ),
    );
  });
});

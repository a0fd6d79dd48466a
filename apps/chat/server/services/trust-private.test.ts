import { callerAddress } from "headgate/http";
import { expect, it } from "vitest";
import { trustPrivate } from "./trust-private.ts";

it("logs once that a forwarding header came from a public address, without the address", () => {
  const lines: unknown[][] = [];
  const trust = trustPrivate({ warn: (...line: unknown[]) => void lines.push(line) });
  const headers = { "x-forwarded-for": "198.51.100.7" };
  expect(callerAddress({ peer: "10.0.0.1", headers }, trust)).toBe("198.51.100.7");
  expect(lines).toEqual([]);
  expect(callerAddress({ peer: "203.0.113.9", headers }, trust)).toBe("203.0.113.9");
  expect(callerAddress({ peer: "203.0.113.9", headers }, trust)).toBe("203.0.113.9");
  expect(lines).toHaveLength(1);
  expect(JSON.stringify(lines)).toContain("RATE_LIMIT_TRUST_PROXY");
  expect(JSON.stringify(lines)).not.toMatch(/203\.0\.113|198\.51\.100/);
});

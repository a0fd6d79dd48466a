import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, type TestService } from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";

let database: OpenDatabase;

beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);

afterAll(() => database.close());

/** The lines of a request's head, in order: names may occur more than once. */
type Fields = [name: string, value: string][];

/** Sends a small body, of which each address may send one a minute. @returns whether this address had sent one already */
async function isKnown(url: string, fields: Fields): Promise<boolean> {
  const head = ["Host", new URL(url).host, "Content-Type", "application/json", "Content-Length", "2"];
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request(new URL("/chat/stop", url), {
      method: "POST",
      headers: [...head, ...fields.flat()],
      agent: false,
    });
    sent.once("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once("error", reject);
    sent.end("{}");
  });
  expect([400, 429]).toContain(status);
  return status === 429;
}

/** What a caller may write in front of what the proxies append. */
const forged = [
  "9.9.9.9",
  "9.9.9.9, 8.8.8.8",
  "127.0.0.1",
  "10.0.0.1, 127.0.0.1",
  "9.9.9.9:4711",
  "[2001:db8::9]:443",
  "fe80::1%eth0",
  "fe80::1%25eth0, ::1%lo",
  "::ffff:9.9.9.9",
  "::ffff:127.0.0.1",
  "64:ff9b::9.9.9.9",
  ", ,, ,",
  ",9.9.9.9,",
  "unknown",
  "_hidden",
  '"',
  '"9.9.9.9, ',
  "9.9.9.9\t",
  "for=9.9.9.9",
  'for="[::1]:80"; by=10.0.0.1, for=\'',
  "0x7f.1",
  "0177.0.0.1",
  "2130706433",
  Array.from({ length: 32 }, (_, n) => `9.9.9.${n}`).join(","),
  Array.from({ length: 300 }, (_, n) => `127.0.${n >> 8}.${n & 255}`).join(","),
  ",".repeat(3_000),
  " , ".repeat(1_000),
];

/** The forms in which proxies write the caller 198.51.100.7, or 2001:db8:1:2::7. */
const written = {
  ipv4: [
    "198.51.100.7",
    "198.51.100.7:4711",
    "::ffff:198.51.100.7",
    "[::ffff:198.51.100.7]:80",
    "::FFFF:c633:6407",
  ],
  ipv6: ["2001:db8:1:2::7", "[2001:DB8:1:2:0::7]:4711", "2001:db8:1:2::8%eth0", "2001:0db8:0001:0002:ffff::"],
};
const [other, otherIpv6] = ["198.51.100.8", "2001:db8:1:3::7"];

interface Setting {
  trust: string;
  name: string;
  /** The fields as they arrive if the caller wrote `forged` and the proxies report `client`. */
  lists: ((forged: string, client: string) => Fields)[];
}

const settings: Setting[] = [
  {
    trust: "2",
    name: "X-Forwarded-For",
    lists: [
      (forged, client) => [["X-Forwarded-For", `${forged}, ${client}, 203.0.113.9`]],
      (forged, client) => [
        ["X-Forwarded-For", forged],
        ["x-forwarded-for", client],
        ["X-FORWARDED-FOR", "203.0.113.9"],
      ],
      (forged, client) => [
        ["Forwarded", `for=${forged}`],
        ["X-Real-IP", forged],
        ["CF-Connecting-IP", forged],
        ["X-Forwarded-For", `${forged},, ${client} ,\t,203.0.113.9:80,`],
      ],
    ],
  },
  {
    trust: "127.0.0.0/8, ::1, 203.0.113.0/24, 2001:db8:ffff::/48",
    name: "X-Forwarded-For",
    lists: [
      (forged, client) => [["X-Forwarded-For", `${forged}, ${client}`]],
      (forged, client) => [
        ["X-Forwarded-For", `${forged}, ${client}, ::ffff:203.0.113.9, 2001:db8:ffff::1%eth1`],
      ],
      (forged, client) => [
        ["X-Forwarded-For", forged],
        ["X-Forwarded-For", `${client}, [2001:db8:ffff::1]:80`],
        ["X-Forwarded-For", "203.0.113.9:4711, ,"],
      ],
    ],
  },
  {
    trust: "nginx",
    name: "X-Forwarded-For",
    lists: [
      (forged, client) => [["X-Forwarded-For", `${forged}, ${client}`]],
      (forged, client) => [
        ["X-Forwarded-For", forged],
        ["Forwarded", forged],
        ["X-Forwarded-For", client],
      ],
    ],
  },
  {
    trust: "127.0.0.1 forwarded",
    name: "Forwarded",
    lists: [
      (forged, client) => [["Forwarded", `${forged}, for="${bracketed(client)}";proto=https`]],
      (forged, client) => [
        ["X-Forwarded-For", forged],
        ["Forwarded", `for=${forged}`],
        ["forwarded", `proto=http; FOR="${bracketed(client)}" ; by=10.0.0.1`],
        ["Forwarded", "for=127.0.0.1"],
      ],
    ],
  },
];

/** RFC 7239 wants IPv6 addresses in brackets. */
function bracketed(address: string): string {
  return address.startsWith("[") || !address.includes("::") ? address : `[${address}]`;
}

describe.each(settings)("behind proxies that RATE_LIMIT_TRUST_PROXY=$trust names", ({ trust, lists }) => {
  let service: TestService;
  beforeAll(async () => {
    const env = { RATE_LIMIT_TRUST_PROXY: trust, RATE_LIMIT_BODIES_IP_PER_MIN: "1" };
    service = await startTestService({ database, env });
  });
  afterAll(() => service.close());

  test.each(lists.map((fields, index) => ({ fields, index })))(
    "what a caller writes itself changes nothing (list $index)",
    async ({ fields }) => {
      service.clock.advance(120_000);
      for (const [family, stranger] of [
        ["ipv4", other],
        ["ipv6", otherIpv6],
      ] as const) {
        const [first = "", ...forms] = written[family];
        expect(await isKnown(service.url, fields("9.9.9.9", first))).toBe(false);
        for (const form of forms)
          expect(await isKnown(service.url, fields("9.9.9.9", form)), form).toBe(true);
        for (const text of forged) expect(await isKnown(service.url, fields(text, first)), text).toBe(true);
        // Two callers do not share a quota, whatever they write.
        expect(await isKnown(service.url, fields(first, stranger)), stranger).toBe(false);
      }
      // No victim paid for it either.
      expect(await isKnown(service.url, fields("1.1.1.1", "9.9.9.9"))).toBe(false);
    },
  );
});

test.each([
  ["none", "X-Forwarded-For"],
  ["none", "Forwarded"],
  ["10.0.0.0/8", "X-Forwarded-For"],
  ["cloudflare", "CF-Connecting-IP"],
  ["nginx", "X-Real-IP"],
  ["nginx", "Forwarded"],
  ["fly", "X-Forwarded-For"],
])("with RATE_LIMIT_TRUST_PROXY=%s, %s from this peer is not believed", async (trust, name) => {
  const env = { RATE_LIMIT_TRUST_PROXY: trust, RATE_LIMIT_BODIES_IP_PER_MIN: "1" };
  const service = await startTestService({ database, env });
  expect(await isKnown(service.url, [])).toBe(false);
  for (const text of forged) expect(await isKnown(service.url, [[name, text]]), text).toBe(true);
  await service.close();
});

test("a platform's field that occurs twice, or holds a list, is not believed", async () => {
  const env = { RATE_LIMIT_TRUST_PROXY: "fly", RATE_LIMIT_BODIES_IP_PER_MIN: "1" };
  const service = await startTestService({ database, env });
  expect(await isKnown(service.url, [["Fly-Client-IP", "198.51.100.7"]])).toBe(false);
  expect(await isKnown(service.url, [["Fly-Client-IP", "::ffff:198.51.100.7"]])).toBe(true);
  expect(await isKnown(service.url, [])).toBe(false);
  const twice: Fields = [
    ["Fly-Client-IP", "9.9.9.9"],
    ["fly-client-ip", "198.51.100.9"],
  ];
  for (const fields of [twice, [["Fly-Client-IP", "9.9.9.9, 198.51.100.9"]] as Fields])
    expect(await isKnown(service.url, fields)).toBe(true);
  await service.close();
});

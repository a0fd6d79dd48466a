import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where each peer declares its options. The page must mention all of them. */
const peers = [
  {
    page: "moving-from-express-rate-limit",
    declarations: "express-rate-limit/dist/index.d.ts",
    types: ["Options"],
  },
  {
    page: "moving-from-fastify-rate-limit",
    declarations: "@fastify/rate-limit/types/index.d.ts",
    types: ["CreateRateLimitOptions", "RateLimitOptions", "RateLimitPluginOptions"],
  },
  {
    page: "moving-from-hono-rate-limiter",
    declarations: "hono-rate-limiter/dist/index.d.ts",
    types: ["KeyGeneratorType", "CommonConfigType", "CloudflareConfigType", "HonoConfigType"],
  },
  {
    page: "moving-from-rate-limiter-flexible",
    declarations: "rate-limiter-flexible/types.d.ts",
    types: [
      "IRateLimiterOptions",
      "IRateLimiterStoreOptions",
      "IRateLimiterStoreNoAutoExpiryOptions",
      "IRateLimiterPostgresOptions",
      "IRateLimiterRedisOptions",
      "IRateLimiterValkeyOptions",
    ],
  },
];

/** Returns the members of an object type or an interface, by the layout of these files. */
function membersOf(declarations: string, type: string): string[] {
  const lines = declarations.split("\n");
  const start = lines.findIndex((line) =>
    new RegExp(`^\\s*(export )?(type|interface) ${type}\\b.*\\{$`).test(line),
  );
  if (start < 0) throw new Error(`cannot find the declaration of ${type}`);
  const indent = /^\s*/.exec(lines[start] as string)?.[0] ?? "";
  const end = lines.findIndex((line, at) => at > start && line.startsWith(`${indent}}`));
  const members = lines.slice(start + 1, end).flatMap((line) => {
    const [, depth, name] = /^(\s*)(\w+)\??:/.exec(line) ?? [];
    return depth === undefined || name === undefined ? [] : [{ depth: depth.length, name }];
  });
  const shallowest = Math.min(...members.map(({ depth }) => depth));
  return members.filter(({ depth }) => depth === shallowest).map(({ name }) => name);
}

describe.each(peers)("$page", ({ page, declarations, types }) => {
  it("mentions every option of the peer", async () => {
    const declared = await readFile(join(root, "node_modules", declarations), "utf8");
    const options = [...new Set(types.flatMap((type) => membersOf(declared, type)))];
    expect(options.length).toBeGreaterThan(10);

    const text = await readFile(join(root, `docs/${page}.md`), "utf8");
    const table = text.split("\n").filter((line) => line.startsWith("| "));
    const words = new Set(table.join(" ").match(/\w+/g));
    expect(options.filter((option) => !words.has(option))).toEqual([]);
  });
});

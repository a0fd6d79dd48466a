import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isConfiguring, testEnvironment } from "./environment.mjs";

describe("the environment of tests", () => {
  it("keeps the machine's variables, and drops variables that configure the service", () => {
    const environment = {
      PATH: "/bin",
      HOME: "/home/me",
      RATE_LIMIT_CHAT_PER_MIN: "1",
      OPENAI_API_KEY: "k",
      PORT: "80",
    };
    expect(testEnvironment(environment)).toEqual({ PATH: "/bin", HOME: "/home/me" });
  });

  it("turns colours off in CI", () => {
    expect(testEnvironment({ CI: "true", FORCE_COLOR: "1" })).toEqual({ CI: "true", NO_COLOR: "1" });
    expect(testEnvironment({ FORCE_COLOR: "1" })).toEqual({ FORCE_COLOR: "1" });
  });

  const server = new URL("../../apps/chat/server/", import.meta.url);
  const sources = readdirSync(server, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => readFileSync(new URL(file, server), "utf8"));
  const names = sources.flatMap((source) =>
    [...source.matchAll(/\bread\("([A-Z][A-Z0-9_]+)"|\benv(?:ironment)?(?:\.|\[")([A-Z][A-Z0-9_]+)\b/g)].map(
      ([, read, accessed]) => read ?? accessed ?? "",
    ),
  );

  it("finds the service's variables in its sources", () => {
    expect(names).toEqual(expect.arrayContaining(["RATE_LIMIT_CHAT_PER_MIN", "DATABASE_URL", "PORT"]));
  });

  it.each([...new Set(names)])("drops the service's variable %s", (name) => {
    expect(isConfiguring(name)).toBe(true);
  });
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadConfig } from "./config/index.ts";
import { chooseModels } from "./model/provider.ts";

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8");
const compose = read("deploy/compose.yaml");
const readme = read("README.md");

/** Returns every variable that the service reads, by recording its reads. */
function variablesRead(): Set<string> {
  const names = new Set<string>();
  const watched = (given: Record<string, string>) =>
    new Proxy(given, {
      get(target, name) {
        names.add(String(name));
        return target[String(name)];
      },
    });
  loadConfig(watched({}));
  for (const given of [
    {},
    { LLM_BASE_URL: "http://127.0.0.1:1/v1", LLM_MODEL: "m" },
    { OPENAI_API_KEY: "sk-1234567890" },
    { ANTHROPIC_API_KEY: "sk-1234567890" },
  ]) {
    chooseModels(watched(given), { clock: { now: () => 0 } });
  }
  return names;
}

const passed = [...compose.matchAll(/^ {6}([A-Z_]+): /gm)]
  .map(([, name = ""]) => name)
  .filter((name) => !/^POSTGRES_/.test(name));
/** Variables that the image sets. */
const OF_THE_IMAGE = ["HOST", "PORT"];

test("compose passes every variable that the service reads, and no other", () => {
  const names = variablesRead();
  expect(names.size).toBeGreaterThan(25);
  expect(passed.sort()).toEqual([...names].filter((name) => !OF_THE_IMAGE.includes(name)).sort());
});

test("the README lists every variable that the service reads", () => {
  const table = readme.slice(readme.indexOf("## The service's settings"));
  expect([...variablesRead()].filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});

test("compose starts with the README's command, without any variable set", () => {
  expect(readme).toContain("docker compose -f deploy/compose.yaml up");
  expect(compose).not.toMatch(/\$\{[A-Z_]+:?\?/);
  const given = Object.fromEntries(
    [...compose.matchAll(/^ {6}([A-Z_]+): "(.*)"$/gm)].map(([, name = "", value = ""]) => [
      name,
      value.replace(/\$\{[A-Z_]+:-([^}]*)\}/g, "$1"),
    ]),
  );
  expect(loadConfig(given)).toMatchObject({
    database: { kind: "postgres", url: "postgres://headgate:headgate@postgres:5432/headgate" },
    limits: { storageUri: "redis://redis:6379" },
    trustProxy: expect.anything(),
  });
});

test("every container of compose has restricted rights and resources", () => {
  const services = compose
    .slice(compose.indexOf("services:"), compose.indexOf("\nnetworks:"))
    .split(/^ {2}(?=\w+:$)/m)
    .slice(1);
  expect(services.map((service) => service.split(":")[0])).toEqual(["chat", "postgres", "redis"]);
  for (const service of services) {
    expect(service).toContain("<<: *confined");
    expect(service).toMatch(/mem_limit: \d+[gm]/);
    expect(service).toMatch(/pids_limit: \d+/);
  }
  for (const line of ["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"]) {
    expect(compose.slice(0, compose.indexOf("services:"))).toContain(line);
  }
  expect(compose).toContain('"--maxmemory"');
  // Only the service can be reached from outside.
  expect(compose.match(/ports:/g)).toHaveLength(1);
  expect(compose).toMatch(/"127\.0\.0\.1:\$\{CHAT_PORT:-3000\}:3000"/);
});

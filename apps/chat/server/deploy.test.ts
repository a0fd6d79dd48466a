import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
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
  for (const line of ["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "logging:"]) {
    expect(compose.slice(0, compose.indexOf("services:"))).toContain(line);
  }
  expect(compose).toContain('"--maxmemory"');
  // Only the service can be reached from outside.
  expect(compose.match(/ports:/g)).toHaveLength(1);
  expect(compose).toMatch(/"127\.0\.0\.1:\$\{CHAT_PORT:-3000\}:3000"/);
});

describe("pinning the images", () => {
  /** A copy of the files, and a Docker that gives prepared answers. */
  function stage(docker: string) {
    const folder = mkdtempSync(path.join(tmpdir(), "headgate-pin-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(path.join(folder, "deploy"));
    mkdirSync(path.join(folder, "bin"));
    for (const file of ["deploy/compose.yaml", "deploy/pin-images.sh", "Dockerfile"]) {
      writeFileSync(path.join(folder, file), read(file));
    }
    const answer = (text: string) =>
      writeFileSync(path.join(folder, "bin/docker"), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    answer(docker);
    return {
      answer,
      pin: () =>
        spawnSync("sh", [path.join(folder, "deploy/pin-images.sh")], {
          env: { PATH: `${folder}/bin:/usr/bin:/bin` },
          encoding: "utf8",
        }),
      now: (file: string) => readFileSync(path.join(folder, file), "utf8"),
    };
  }

  /** Returns a different digest for each name. */
  const digests = (letter: string) =>
    `[ "$1 $2 $3" = "buildx imagetools inspect" ] && printf 'sha256:%s%s\\n' "$(printf %s "$4" | sha256sum | cut -c1-63)" ${letter}`;
  const unpinned = (text: string) => text.replace(/@sha256:[0-9a-f]{64}/g, "");

  test("writes the digest of each image, and nothing else, as often as it is asked", () => {
    const { answer, pin, now } = stage(digests("a"));
    for (const letter of ["a", "b"]) {
      answer(digests(letter));
      const { status, stdout } = pin();
      expect(status).toBe(0);
      const pinned = [now("deploy/compose.yaml"), now("Dockerfile")];
      expect(pinned.map(unpinned)).toEqual([unpinned(compose), unpinned(read("Dockerfile"))]);
      const images = [...pinned.join("\n").matchAll(/^(?: *image: |ARG NODE_IMAGE=)(\S+)$/gm)].map(
        ([, image]) => image,
      );
      expect(images).toHaveLength(3);
      for (const image of images)
        expect(image).toMatch(new RegExp(`^[a-z]+:[\\w.-]+@sha256:[0-9a-f]{63}${letter}$`));
      expect(stdout.trim().split("\n").sort()).toEqual(images.toSorted());
    }
    // Every image that is run or built on is one of those.
    for (const line of now("Dockerfile").match(/^FROM .*/gm) ?? [])
      expect(line).toMatch(/^FROM \$\{NODE_IMAGE\}/);
  });

  test.each([
    ["a registry that cannot be reached", "echo no route >&2; exit 1"],
    ["an answer that is no digest", "echo latest"],
    ["one image that is not found", `case "$4" in redis*) exit 1;; esac; ${digests("a")}`],
  ])("changes nothing after %s", (_case, docker) => {
    const { pin, now } = stage(docker);
    expect(pin().status).not.toBe(0);
    expect([now("deploy/compose.yaml"), now("Dockerfile")]).toEqual([compose, read("Dockerfile")]);
  });
});

test("every image is named with its version, in compose and in the Dockerfile", () => {
  const images = [...`${compose}\n${read("Dockerfile")}`.matchAll(/^(?: *image: |ARG NODE_IMAGE=)(\S+)$/gm)];
  expect(images).toHaveLength(3);
  for (const [, image] of images) expect(image).toMatch(/^[a-z]+:\d[\w.-]*(@sha256:[0-9a-f]{64})?$/);
});

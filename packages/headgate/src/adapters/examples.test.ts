import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

const examples = new URL("../../../../examples/", import.meta.url);
const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** Runs an example as its reader would, and waits until it says where it listens. */
function start(name: string): Promise<string> {
  const file = fileURLToPath(new URL(`${name}/index.ts`, examples));
  const child = spawn(process.execPath, ["--conditions=headgate-source", "--no-warnings", file], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  ending.push(() => {
    child.kill();
    return ended;
  });
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (piece: Buffer) => {
      output += piece;
      const origin = /Listening on (http:\S+)/.exec(output)?.[1];
      if (origin !== undefined) resolve(origin);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    ended.then(() => reject(new Error(`examples/${name} ended: ${output}`)));
  });
}

async function statuses(ask: () => Promise<Response>): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < 6; n += 1) {
    const response = await ask();
    expect(response.headers.get("RateLimit")).toMatch(
      /^"ip-per-minute";r=\d;t=\d+, "ip-per-hour";r=\d\d;t=\d+$/,
    );
    await response.text();
    found.push(response.status);
  }
  return found;
}

describe("the examples", () => {
  it.each(["node", "express", "fastify", "koa", "hono"])(
    "%s answers five requests and refuses the sixth",
    async (name) => {
      const origin = await start(name);
      expect(await statuses(() => fetch(origin))).toEqual([200, 200, 200, 200, 200, 429]);
    },
  );

  it("fetch answers five requests and refuses the sixth", async () => {
    const { default: worker } = await import("../../../../examples/fetch/index.ts");
    const ask = async () => worker.fetch(new Request("http://localhost/"));
    expect(await statuses(ask)).toEqual([200, 200, 200, 200, 200, 429]);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../bootstrap/workspace.mjs";
import { testEnvironment } from "../testing/environment.mjs";

/** Includes the time to build on a busy machine, if nothing has been built before. */
const BUILDING_TOO_MS = 300_000;

const withoutNpm = [process.execPath, "scripts/run.mjs", "start"] as const;
const withNpm = ["npm", "start"] as const;

/** Runs `npm start`, with npm or without it, because npm forwards signals in its own way. */
function start(folder: string, [program, ...words]: readonly [string, ...string[]] = withoutNpm) {
  const child = spawn(program, words, {
    cwd: ROOT,
    env: {
      ...testEnvironment(process.env),
      PORT: "0",
      DATABASE_URL: `pglite://${folder}`,
      LOG_LEVEL: "info",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const ended = once(child, "close").then(([code]) => ({ code, output }));
  const url = new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer) => {
      output += chunk;
      const ready = /"url":"([^"]+)".*"msg":"ready"/.exec(output)?.[1];
      if (ready !== undefined) resolve(ready);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    ended.then(() => reject(new Error(`The service exited before it was ready: ${output}`)), reject);
  });
  return { child, url, ended };
}

it(
  "npm start serves page and API from the bundle, and keeps stored data",
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "headgate-npm-start-"));
    const running = [];
    try {
      const headers = { "Content-Type": "application/json", "X-User-Id": "ada" };
      const first = start(folder);
      running.push(first);
      const url = await first.url;
      expect(await (await fetch(`${url}/ready`)).json()).toMatchObject({ database: "ok" });
      const page = await (await fetch(url)).text();
      const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? "no script";
      expect((await fetch(`${url}${script}`)).status).toBe(200);
      const answer = await fetch(`${url}/chat/message`, {
        method: "POST",
        headers,
        body: JSON.stringify({ messages: [{ role: "user", content: "take-home on £45,000" }] }),
      });
      expect(await answer.text()).toContain("35,919.60");
      first.child.kill("SIGTERM");
      expect(await first.ended).toMatchObject({ code: 0 });

      const second = start(folder, withNpm);
      running.push(second);
      const kept = await fetch(`${await second.url}/conversations`, { headers });
      expect(await kept.json()).toMatchObject({ conversations: [{}] });
      // npm and its shell exit at once, without passing the signal on.
      second.child.kill("SIGTERM");
      expect((await second.ended).output).toContain('"msg":"stopped"');
    } finally {
      for (const { child } of running) child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
  },
  BUILDING_TOO_MS,
);

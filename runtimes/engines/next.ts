import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type RunningEngine, runningEngine } from "./process.ts";

const APP = fileURLToPath(new URL("../next-app", import.meta.url));
const next = fileURLToPath(new URL("../node_modules/next/dist/bin/next", import.meta.url));

/** Runs a command of Next on the application of this workspace. */
function runNext(...words: string[]) {
  return spawn(process.execPath, [next, ...words], {
    cwd: APP,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", NO_COLOR: "1" },
  });
}

/**
 * Runs `next build`, then `next start`, and waits for its first answer. By then, the modules of
 * `instrumentation.ts` are loaded.
 */
export async function startNext(): Promise<RunningEngine> {
  await built();
  const child = runNext("start", "--port=0", "--hostname=127.0.0.1");
  const engine = await runningEngine(child, /Local: +http:\/\/127\.0\.0\.1:(\d+)/);
  await (await fetch(`${engine.origin}/suite`)).body?.cancel();
  return engine;
}

function built(): Promise<void> {
  const child = runNext("build");
  let output = "";
  const read = (chunk: unknown) => {
    output += chunk;
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`next build in ${path.basename(APP)} ended with ${code}: ${output}`));
    });
  });
}

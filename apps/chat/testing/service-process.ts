import { type ChildProcess, execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** The bundle, as `npm start` runs it: the sources would take several times as long to start. */
const main = fileURLToPath(new URL("../server/dist/main.js", import.meta.url));

export interface ServiceProcess {
  child: ChildProcess;
  /** Resolves with the address where it listens. */
  ready: Promise<string>;
  exited: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

export interface ServiceProcessOptions {
  /** Without this, each start would compile megabytes again. */
  compiledFolder: string;
  /** A program with arguments that runs another program. */
  wrapper?: readonly string[];
  /** Default: what was built in this workspace. */
  started?: string;
}

/** Builds what `startServiceProcess` starts, if a source has changed since. */
export async function buildService(): Promise<void> {
  await promisify(execFile)(process.execPath, ["scripts/run.mjs", "build"], { cwd: root });
}

/** Runs the service in a separate process, on a free port unless `env` sets one. */
export function startServiceProcess(
  env: Record<string, string>,
  { compiledFolder, wrapper = [], started = main }: ServiceProcessOptions,
): ServiceProcess {
  // Optimising the embedded PostgreSQL takes seconds, which a test never recovers.
  const [program = process.execPath, ...words] = [...wrapper, process.execPath, "--liftoff-only", started];
  const child = spawn(program, words, {
    env: { PATH: process.env.PATH ?? "", NODE_COMPILE_CACHE: compiledFolder, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let tellReady: (url: string) => void = () => {};
  const ready = new Promise<string>((resolve) => {
    tellReady = resolve;
  });
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
    const url = /"url":"([^"]+)"/.exec(stdout)?.[1];
    if (url) tellReady(url);
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const exited = new Promise<{ code: number | null; stdout: string; stderr: string }>((done) => {
    child.once("close", (code) => done({ code, stdout, stderr }));
  });
  return { child, ready, exited };
}

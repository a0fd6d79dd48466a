import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "@headgate/test-servers/free-port.ts";
import { interleaved } from "../measuring/interleaved.ts";
import { withServer } from "../measuring/servers.ts";
import type { Kind, RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atMostOf, floorOf, ofHeadgate } from "../report/targets.ts";

export const start: Section = { name: "start", run };

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Way {
  readonly label: string;
  readonly kind: Kind;
  readonly note: string;
  /** @returns the milliseconds until ready */
  measure(folder: string): Promise<number>;
}

const ways: Readonly<Record<string, Way>> = {
  "npm-start": {
    label: "npm start",
    kind: "headgate",
    note: "until /ready answers 200",
    measure: (folder) => untilReady("npm", ["start", "--silent"], folder),
  },
  service: {
    label: "the service alone",
    kind: "headgate",
    note: "node apps/chat/server/dist/main.js, with the compile cache of npm start",
    measure: (folder) => untilReady(process.execPath, ["apps/chat/server/dist/main.js"], folder),
  },
  npm: {
    label: "npm start of an empty program",
    kind: "floor",
    note: "npm, a shell and Node",
    measure: (folder) => untilEnded("npm", ["start", "--silent"], path.join(folder, "empty")),
  },
  node: {
    label: "an empty program",
    kind: "floor",
    note: "Node alone",
    measure: (folder) => untilEnded(process.execPath, ["empty.js"], path.join(folder, "empty")),
  },
};

async function run({ isQuick, say }: RunOptions): Promise<SectionResult> {
  say("start");
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-bench-start-"));
  try {
    mkdirSync(path.join(folder, "empty"));
    writeFileSync(path.join(folder, "empty", "empty.js"), "");
    writeFileSync(
      path.join(folder, "empty", "package.json"),
      JSON.stringify({ private: true, scripts: { start: "node empty.js" } }),
    );
    // The first start creates the database and the compile cache.
    await ways["npm-start"]?.measure(folder);
    const measured = await interleaved(isQuick ? 1 : 7, Object.keys(ways), async (name) => {
      const way = ways[name];
      if (way === undefined) throw new Error(`There is no way "${name}".`);
      return way.measure(folder);
    });
    const table: Table = {
      id: "start",
      title: "Start to ready, warm",
      columns: [{ title: "until ready", unit: "ms", better: "less" }],
      rows: Object.entries(ways).map(([name, { label, kind, note }]) => ({
        label,
        kind,
        note,
        figures: [measured.get(name) ?? null],
      })),
    };
    return {
      name: "start",
      title: "Starting the service",
      method: [
        "From the start of the command until /ready answers 200, with everything installed and built, and an embedded database from an earlier start.",
      ],
      tables: [table],
      targets: [
        atMostOf("npm start until ready, warm", 1_500, "ms", ofHeadgate(table, 0), floorOf(table, 0)),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const askEveryMs = 5;
const giveUpMs = 60_000;

/** Starts the service on a free port, and stops it once it is ready. */
async function untilReady(program: string, words: readonly string[], folder: string): Promise<number> {
  const port = await freePort();
  const env = {
    ...withoutSettings(process.env),
    PORT: String(port),
    DATABASE_URL: `pglite://${path.join(folder, "database")}`,
    NODE_COMPILE_CACHE: path.join(folder, "compiled"),
    LOG_LEVEL: "error",
  };
  const startedMs = performance.now();
  return withServer(running(program, words, root, env), async (child) => {
    for (;;) {
      if (await isReady(port)) return performance.now() - startedMs;
      if (child.hasEnded()) throw new Error(`${program} ${words.join(" ")} ended before it was ready.`);
      if (performance.now() - startedMs > giveUpMs) throw new Error(`Not ready within ${giveUpMs / 1000} s.`);
      await pause(askEveryMs);
    }
  });
}

async function untilEnded(program: string, words: readonly string[], folder: string): Promise<number> {
  const startedMs = performance.now();
  return withServer(running(program, words, folder, process.env), async (child) => {
    await child.ended;
    return performance.now() - startedMs;
  });
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/ready`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Runs a program in its own process group, and ends it cleanly, so that the service closes its database. */
async function running(program: string, words: readonly string[], folder: string, env: NodeJS.ProcessEnv) {
  const child: ChildProcess = spawn(program, words, {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "inherit"],
    detached: true,
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("exit", () => resolve());
    child.once("error", reject);
  });
  return {
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async remove() {
      // npm signals only its shell, which does not pass the signal on, and exits before the service.
      if (child.pid === undefined || !signalGroup(child.pid, "SIGTERM")) return;
      while (signalGroup(child.pid, 0)) await pause(askAgainMs);
    },
  };
}

const askAgainMs = 50;

/** @returns whether the process group still existed */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/** Removes variables that configure the service, which the user may have set. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own =
    /^(RATE_LIMIT_|TRUST_USER|HOST$|PUBLIC_URL|AUTH_|OPENAI_|ANTHROPIC_|LLM_|MODEL_|CREDIT_|MAX_BODY|SHUTDOWN_|NODE_OPTIONS$)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.test(name)));
}

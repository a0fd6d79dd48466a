import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const RUNTIMES = fileURLToPath(new URL("..", import.meta.url));

export interface RunningEngine {
  readonly origin: string;
  close(): Promise<void>;
}

/** The engines' programs. npm installed a package with each program for this platform. */
const programs = {
  bun: () => programOf("@oven", "bun-", path.join("bin", "bun")),
  deno: () => programOf("@deno", "", "deno"),
};

export type Engine = keyof typeof programs;

const words: Record<Engine, string[]> = {
  bun: ["run"],
  deno: ["run", "--allow-all", "--node-modules-dir=manual", "--no-lock", "--quiet"],
};

/** Runs a program of this workspace in Bun or Deno, with the packages that npm installed. */
export async function startEngine(
  engine: Engine,
  program: string,
  args: readonly string[],
): Promise<RunningEngine> {
  const child = spawn(programs[engine](), [...words[engine], path.join(RUNTIMES, program), ...args], {
    cwd: RUNTIMES,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  });
  return runningEngine(child, /listening at (\d+)/);
}

/** @param listening finds the port in what a program prints once it listens. */
export async function runningEngine(child: ChildProcess, listening: RegExp): Promise<RunningEngine> {
  const port = await portOf(child, listening);
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.kill();
      }),
  };
}

function portOf(child: ChildProcess, listening: RegExp): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (chunk: unknown) => {
      output += chunk;
      const port = listening.exec(output)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`The engine exited with ${code}: ${output}`)));
  });
}

function programOf(scope: string, prefix: string, file: string): string {
  const folder = path.join(RUNTIMES, "node_modules", scope);
  const platform = `${prefix}${process.platform}-${process.arch === "arm64" && scope === "@oven" ? "aarch64" : process.arch}`;
  const packages = existsSync(folder) ? readdirSync(folder).sort() : [];
  for (const name of packages.filter((one) => one.startsWith(platform))) {
    const program = path.join(folder, name, file);
    if (existsSync(program)) return program;
  }
  throw new Error(`npm installed no ${scope} program for ${platform}.`);
}

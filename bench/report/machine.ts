import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";

/** The machine of a run. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** The load of the last minute at the start. If it is well above 0, other work was running too. */
  readonly load: number;
  /** The versions of Headgate, its peers, and their dependencies. */
  readonly packages: Readonly<Record<string, string>>;
}

const packages = [
  "headgate",
  "express-rate-limit",
  "rate-limiter-flexible",
  "hono-rate-limiter",
  "@fastify/rate-limit",
  "@joint-ops/hitlimit",
  "rate-limit-redis",
  "express",
  "fastify",
  "hono",
  "@hono/node-server",
  "ioredis",
  "redis",
  "pg",
];

export function thisMachine(): Machine {
  const [processor] = os.cpus();
  return {
    processor: processor?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${distribution() ?? os.type()}, ${os.type()} ${os.release()}, ${os.arch()}`,
    node: process.version,
    load: os.loadavg()[0] ?? 0,
    packages: Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
  };
}

/** Formats a machine as lines of text. */
export function machineLines({
  processor,
  cores,
  memoryGiB,
  system,
  node,
  load,
  packages,
}: Machine): string[] {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    `${processor}, ${cores} cores, ${memoryGiB} GiB`,
    system,
    `Node ${node.slice(1)}; load at the start: ${load.toFixed(2)}`,
    versions.join(", "),
  ];
}

function distribution(): string | undefined {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/** Reads the manifest from the package's folder, because not every package exports it. */
function versionOf(name: string): string {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")).version;
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`${name} is not installed: run npm install.`);
}

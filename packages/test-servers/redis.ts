import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { installPackage } from "./apt.ts";
import { freePort } from "./free-port.ts";

/** A Redis server for a test, which saves nothing to disk. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** The version, such as `7.0.15`. */
  readonly version: string;
  /** Its process id, to suspend it (`SIGSTOP`) and resume it. */
  readonly pid: number;
  /**
   * The path of its folder, so that a test can fill the disk or block a file. With its own disk, only while the server
   * runs.
   */
  readonly folder: string;
  /** Sends one command with `redis-cli` and returns its output. */
  command(...words: string[]): string;
  /** Shuts the server down cleanly. */
  stop(): Promise<void>;
  /** Kills the server, as a crash of the machine would. */
  crash(): Promise<void>;
  /** Starts the server again on the same port, with what it saved: nothing, unless its settings say otherwise. */
  start(): Promise<void>;
  /** Stops the server if it runs, and removes its folder. */
  remove(): Promise<void>;
}

/**
 * Starts a Redis server on a free port of the loopback address, in a temporary folder.
 *
 * `HEADGATE_REDIS_SERVER` names another program, such as `valkey-server`. Default: `redis-server` on the path.
 *
 * @param settings `name value`, as in its configuration file
 * @throws Error that names what is missing, if Redis is neither installed nor installable
 */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  return startServer(await freeClusterPort(), settings);
}

/** Whether this user can mount a separate disk, which `startRedisOnDisk` needs. */
export function canMakeDisks(): boolean {
  return spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", tmpdir()]).status === 0;
}

/**
 * Starts a Redis server that saves its data to a separate disk. Only the server and its test see this disk, and it is
 * removed when the server ends.
 *
 * @param diskBytes the size of the disk
 */
export async function startRedisOnDisk(diskBytes: number, settings: readonly string[]): Promise<RedisServer> {
  return startServer(await freeClusterPort(), settings, [], diskBytes);
}

/** A master, a replica of it, and three Sentinels that watch them. */
export interface RedisSentinels {
  /** The name of the master in the Sentinels' configuration. */
  readonly master: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** The servers. The first is the initial master. */
  readonly servers: readonly RedisServer[];
  /** The port of the current master, according to the first Sentinel. */
  masterPort(): number;
  remove(): Promise<void>;
}

export async function startSentinels(): Promise<RedisSentinels> {
  const servers: RedisServer[] = [];
  const sentinels: RedisServer[] = [];
  async function remove(): Promise<void> {
    await Promise.all([...servers, ...sentinels].map((server) => server.remove()));
  }
  try {
    const master = await startRedis();
    servers.push(master);
    servers.push(await startRedis([`replicaof 127.0.0.1 ${master.port}`]));
    for (let count = 0; count < 3; count += 1) {
      const watching = [
        `sentinel monitor headgate 127.0.0.1 ${master.port} 2`,
        "sentinel down-after-milliseconds headgate 500",
        "sentinel failover-timeout headgate 2000",
      ];
      sentinels.push(await startServer(await freeClusterPort(), watching, ["--sentinel"]));
    }
    const first = sentinels[0] as RedisServer;
    await until("The Sentinels know the replica and each other", () => {
      const seen = first.command("sentinel", "master", "headgate").split("\n");
      const field = (name: string) => seen[seen.indexOf(name) + 1];
      return field("num-slaves") === "1" && field("num-other-sentinels") === "2";
    });
    return {
      master: "headgate",
      sentinels: sentinels.map(({ port }) => ({ host: "127.0.0.1", port })),
      servers,
      masterPort: () =>
        Number(first.command("sentinel", "get-master-addr-by-name", "headgate").split("\n")[1]),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A cluster of three masters, each with a replica. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** The `redis://…?cluster=true` URL of all its nodes. */
  readonly url: string;
  remove(): Promise<void>;
}

/** @param settings of each node: `name value`, as in its configuration file */
export async function startCluster(settings: readonly string[] = []): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  async function remove(): Promise<void> {
    await Promise.all(nodes.map((node) => node.remove()));
  }
  try {
    for (let count = 0; count < 6; count += 1) {
      nodes.push(await startRedis(["cluster-enabled yes", "cluster-node-timeout 2000", ...settings]));
    }
    const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const made = cli("--cluster", "create", ...hosts, "--cluster-replicas", "1", "--cluster-yes");
    if (made.status !== 0) throw new Error(`redis-cli --cluster create failed: ${made.stdout}${made.stderr}`);
    await until("Every node sees the whole cluster", () =>
      nodes.every((node) => {
        const info = node.command("cluster", "info");
        return info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:6");
      }),
    );
    return { nodes, url: `redis://${hosts.join()}?cluster=true`, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function startServer(
  port: number,
  settings: readonly string[],
  words: readonly string[] = [],
  diskBytes?: number,
): Promise<RedisServer> {
  const program = findProgram() ?? installProgram();
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-redis-"));
  const file = path.join(folder, "server.conf");
  const disk = path.join(folder, "disk");
  if (diskBytes !== undefined) mkdirSync(disk);
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    // Rewritten at each start, because Sentinels save their state in it.
    const usual = [
      `port ${port}`,
      "bind 127.0.0.1",
      "save ''",
      "appendonly no",
      `dir ${diskBytes === undefined ? folder : disk}`,
      "daemonize no",
    ];
    writeFileSync(file, [...usual, ...settings, ""].join("\n"));
    const onDisk =
      diskBytes === undefined
        ? ([program, [file, ...words]] as const)
        : ([
            "unshare",
            ["--mount", "sh", "-c", mountAndRun, String(diskBytes), disk, program, file],
          ] as const);
    server = spawn(...onDisk, { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
    await untilReady(server);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = server;
    server = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = new Promise((resolve) => ending.once("exit", resolve));
    // A suspended process does not handle signals until it is resumed.
    ending.kill("SIGCONT");
    ending.kill(signal);
    await exited;
  }

  async function remove(): Promise<void> {
    await end("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    version: versionOf(program),
    get pid() {
      return server?.pid ?? 0;
    },
    command(...command) {
      const { status, stdout, stderr } = cli("-p", String(port), ...command);
      if (status !== 0) throw new Error(`redis-cli ${command.join(" ")} failed: ${stdout}${stderr}`);
      return stdout.trimEnd();
    },
    // A separate disk is only visible through the process that mounted it.
    get folder() {
      return diskBytes === undefined ? folder : `/proc/${server?.pid}/root${disk}`;
    },
    start,
    stop: () => end("SIGTERM"),
    crash: () => end("SIGKILL"),
    remove,
  };
}

/** Replaces the shell with the server (`exec`), so that the process id is the server's. */
const mountAndRun = 'mount -t tmpfs -o size="$0" none "$1" && shift && exec "$@"';

function findProgram(): string | undefined {
  const named = process.env.HEADGATE_REDIS_SERVER;
  if (named !== undefined) return named;
  return ["redis-server", "valkey-server"].find(
    (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0,
  );
}

function installProgram(): string {
  installPackage("redis-server");
  const program = findProgram();
  if (program !== undefined) return program;
  throw new Error(
    "These tests need the programs redis-server and redis-cli on the PATH. On Debian: apt-get install redis-server",
  );
}

function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return /v=(\S+)/.exec(stdout)?.[1] ?? stdout.trim();
}

function cli(...words: string[]) {
  return spawnSync("redis-cli", words, { encoding: "utf8" });
}

async function freeClusterPort(): Promise<number> {
  // A cluster's nodes also listen on a second port, 10,000 further on.
  for (;;) {
    const port = await freePort();
    if (port <= 55_535) return port;
  }
}

/** Waits for the message on standard output that the server accepts connections. */
function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (chunk: Buffer) => {
      said = (said + chunk).slice(-10_000);
      if (/Ready to accept connections|Sentinel ID is/.test(said)) resolve();
    };
    server.stdout?.on("data", listen);
    server.stderr?.on("data", listen);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`redis-server ended with ${code}: ${said}`)));
  });
}

const longestWaitMs = 20_000;

/** Polls a running server, which does not report when it reaches these states. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + longestWaitMs;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${longestWaitMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

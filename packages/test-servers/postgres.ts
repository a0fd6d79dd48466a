import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { installPackage } from "./apt.ts";
import { freePort } from "./free-port.ts";

/** A PostgreSQL server for a test. */
export interface PostgresServer {
  /** The `postgres://…` URL of its first database. */
  readonly url: string;
  /** The output of `postgres --version`. */
  readonly version: string;
  /** Shuts the server down cleanly: sessions are closed, and everything is written to disk. */
  stop(): Promise<void>;
  /** Kills the server, as a crash of the machine would. */
  crash(): Promise<void>;
  /** Kills all of its processes at once, in the middle of what they do. */
  kill(): Promise<void>;
  /** Suspends all of its processes: connections stay open, but nothing answers. */
  freeze(): void;
  /** Resumes the processes. */
  thaw(): void;
  /** Starts the server again, on the same port and with its data. */
  start(): Promise<void>;
  /** Stops the server if it runs, and removes its folder. */
  remove(): Promise<void>;
}

/**
 * Starts a PostgreSQL server on a free port of the loopback address, in a temporary folder.
 *
 * @param settings `name=value`, in addition to the settings that avoid waiting for the disk
 * @throws Error that names what is missing, if PostgreSQL is neither installed nor installable
 */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const programs = findPrograms() ?? installPrograms();
  const user = unprivilegedUser();
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-postgres-"));
  if (user) chownSync(folder, user.uid, user.gid);
  const files = path.join(folder, "data");
  const port = await freePort();
  const database = runProgram(programs, "initdb", user, [
    "-D",
    files,
    "-U",
    "headgate",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--no-sync",
  ]);
  if (database.status !== 0) throw new Error(`initdb failed: ${database.stderr}`);

  let server: ChildProcess | undefined;
  let frozen = false;

  async function start(): Promise<void> {
    const options = ["fsync=off", "full_page_writes=off", ...settings].flatMap((setting) => ["-c", setting]);
    server = spawn(
      path.join(programs, "postgres"),
      ["-D", files, "-p", String(port), "-h", "127.0.0.1", "-k", folder, ...options],
      { stdio: ["ignore", "ignore", "pipe"], cwd: folder, ...user },
    );
    await untilReady(server);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = server;
    server = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = new Promise((resolve) => ending.once("exit", resolve));
    // Suspended processes do not handle signals until they are resumed.
    if (frozen) signalAll(ending, "SIGCONT");
    frozen = false;
    ending.kill(signal);
    await exited;
  }

  const stop = () => end("SIGINT");

  async function remove(): Promise<void> {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await start();
  } catch (error) {
    await end("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `postgres://headgate@127.0.0.1:${port}/postgres`,
    version: runProgram(programs, "postgres", undefined, ["--version"]).stdout.trim(),
    start,
    stop,
    // An "immediate" shutdown skips the clean-up, so that the next start has to recover.
    crash: () => end("SIGQUIT"),
    async kill() {
      const pids = childrenOf(server);
      const ended = end("SIGKILL");
      signalEach(pids, "SIGKILL");
      await ended;
      // They share memory with the server: the next one does not start before they have ended.
      while (pids.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    freeze() {
      frozen = true;
      signalAll(server, "SIGSTOP");
    },
    thaw() {
      signalAll(server, "SIGCONT");
      frozen = false;
    },
    remove,
  };
}

/** Signals the postmaster and its children, each of which leads its own session. */
function signalAll(server: ChildProcess | undefined, signal: NodeJS.Signals): void {
  if (server?.pid === undefined) return;
  server.kill(signal);
  signalEach(childrenOf(server), signal);
}

function childrenOf(server: ChildProcess | undefined): number[] {
  const { status, stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(server?.pid)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error("The processes of the PostgreSQL server cannot be listed by ps.");
  return [...stdout.matchAll(/\d+/g)].map(([pid]) => Number(pid));
}

function signalEach(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

/** Whether a process has not ended. Nobody may have asked yet how it did. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return !/^\s*(Z|$)/.test(stdout);
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Finds the programs: those that `HEADGATE_POSTGRES` names, otherwise the newest that Debian has installed, otherwise
 * those on the path.
 */
function findPrograms(): string | undefined {
  const { HEADGATE_POSTGRES: named } = process.env;
  const versions = "/usr/lib/postgresql";
  const installed = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(named === undefined ? [] : [named]),
    ...installed.map((version) => path.join(versions, version, "bin")),
    ...(process.env.PATH ?? "").split(path.delimiter),
  ];
  return folders.find((folder) =>
    ["initdb", "postgres"].every((program) => existsSync(path.join(folder, program))),
  );
}

function installPrograms(): string {
  installPackage("postgresql");
  const programs = findPrograms();
  if (programs !== undefined) return programs;
  throw new Error(
    "These tests need PostgreSQL's initdb and postgres programs, in /usr/lib/postgresql/*/bin or on the PATH. " +
      "On Debian: apt-get install postgresql",
  );
}

/** Returns a user for PostgreSQL, which refuses to run as root; `undefined` if the current user is not root. */
function unprivilegedUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((which) => {
      const { status, stdout } = spawnSync("id", [which, name], { encoding: "utf8" });
      return status === 0 ? Number(stdout.trim()) : undefined;
    });
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error(
    "PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody.",
  );
}

function runProgram(programs: string, program: string, user: User | undefined, words: readonly string[]) {
  return spawnSync(path.join(programs, program), words, { encoding: "utf8", cwd: tmpdir(), ...user });
}

/** Waits for the message on standard error that the server accepts connections. */
function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    server.stderr?.on("data", (chunk) => {
      said = (said + chunk).slice(-10_000);
      if (said.includes("database system is ready to accept connections")) resolve();
    });
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`postgres ended with ${code}: ${said}`)));
  });
}

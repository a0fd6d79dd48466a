import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { installPackage } from "./apt.ts";
import { freePort } from "./free-port.ts";

/** A PostgreSQL server of a test's own. */
export interface PostgresServer {
  /** `postgres://…` of its first database. */
  readonly url: string;
  /** As `postgres --version` says it. */
  readonly version: string;
  /** Ends it as an administrator would: sessions are cut, everything is written. */
  stop(): Promise<void>;
  /** Ends it as a failing machine would. */
  crash(): Promise<void>;
  /** Stops all of its processes where they are: connections stay, and nothing answers. */
  freeze(): void;
  /** Lets them go on. */
  thaw(): void;
  /** Starts it again, on the same port and with what it holds. */
  start(): Promise<void>;
  /** Stops the server if it runs, and removes its folder. */
  remove(): Promise<void>;
}

/**
 * Starts a PostgreSQL server on a free port of the loopback, in a folder of its own.
 *
 * @param settings `name=value`, besides those that keep a test from waiting for the disk
 * @throws Error that says what is missing, where there is no PostgreSQL and none can be installed
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
    // Those that were frozen hear nothing before they go on.
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
    // "Immediate" shutdown: no clean-up, so that the next start has to recover.
    crash: () => end("SIGQUIT"),
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

/** To the postmaster and to what it has started, each of which leads a session of its own. */
function signalAll(server: ChildProcess | undefined, signal: NodeJS.Signals): void {
  if (server?.pid === undefined) return;
  server.kill(signal);
  const { status, stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(server.pid)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error("The processes of the PostgreSQL server cannot be listed by ps.");
  for (const [pid] of stdout.matchAll(/\d+/g)) {
    try {
      process.kill(Number(pid), signal);
    } catch {
      // It has ended by itself.
    }
  }
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Those that `HEADGATE_POSTGRES` names; newest first where Debian keeps them side by side; else whatever the path has. */
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

/** PostgreSQL refuses to run as root. `undefined` where the present user will do. */
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

/** The server says on standard error when it accepts connections: nothing has to be tried again and again. */
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

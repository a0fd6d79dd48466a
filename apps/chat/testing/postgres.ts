import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "./free-port.ts";

export interface TestPostgres {
  /** `postgres://…`, of a server that holds nothing yet. */
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL server of its own, on a free port and in a folder of its own, for tests that must not rest on the
 * embedded database alone. Faster than safe: it does not wait for the disk.
 *
 * @throws {Error} that says what is missing, where there is no PostgreSQL and none can be installed
 */
export async function startPostgres(): Promise<TestPostgres> {
  const programs = findPrograms() ?? installPrograms();
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-postgres-"));
  const user = unprivilegedUser();
  if (user) chownSync(folder, user.uid, user.gid);
  const files = path.join(folder, "data");
  run(
    path.join(programs, "initdb"),
    ["-D", files, "-U", "headgate", "-A", "trust", "-E", "UTF8", "--no-sync"],
    user,
  );

  const port = await freePort();
  const settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"].flatMap((setting) => [
    "-c",
    setting,
  ]);
  const server = spawn(
    path.join(programs, "postgres"),
    ["-D", files, "-p", String(port), "-h", "127.0.0.1", "-k", folder, ...settings],
    { stdio: ["ignore", "ignore", "pipe"], ...user },
  );
  try {
    await untilReady(server);
  } catch (error) {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `postgres://headgate@127.0.0.1:${port}/postgres`,
    async stop() {
      const exited = new Promise((resolve) => server.once("exit", resolve));
      // "Fast" shutdown: ends the sessions that are open.
      server.kill("SIGINT");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Newest first where Debian keeps them side by side; else whatever the path has. */
function findPrograms(): string | undefined {
  const versions = "/usr/lib/postgresql";
  const installed = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...installed.map((version) => path.join(versions, version, "bin")),
    ...(process.env.PATH ?? "").split(path.delimiter),
  ];
  return folders.find(
    (folder) => existsSync(path.join(folder, "initdb")) && existsSync(path.join(folder, "postgres")),
  );
}

function installPrograms(): string {
  const isRoot = process.getuid?.() === 0;
  if (isRoot && existsSync("/usr/bin/apt-get")) {
    spawnSync("apt-get", ["update"], { stdio: "ignore" });
    spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "postgresql"], {
      stdio: "ignore",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  }
  const programs = findPrograms();
  if (programs) return programs;
  throw new Error(
    "These tests need PostgreSQL's initdb and postgres programs, in /usr/lib/postgresql/*/bin or on the PATH. On Debian: apt-get install postgresql",
  );
}

/** PostgreSQL refuses to run as root. @returns `undefined` where the present user will do */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const uid = numberFrom("id", ["-u", name]);
    const gid = numberFrom("id", ["-g", name]);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error(
    "PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody.",
  );
}

function numberFrom(program: string, words: string[]): number | undefined {
  const { status, stdout } = spawnSync(program, words, { encoding: "utf8" });
  return status === 0 ? Number(stdout.trim()) : undefined;
}

function run(program: string, words: string[], user: { uid: number; gid: number } | undefined): void {
  const { status, stderr } = spawnSync(program, words, { encoding: "utf8", ...user });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
}

/** The server says on standard error when it accepts connections: nothing has to be tried again and again. */
function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    server.stderr?.on("data", (chunk) => {
      said += chunk;
      if (said.includes("database system is ready to accept connections")) resolve();
    });
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`postgres ended with ${code}: ${said}`)));
  });
}

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "./free-port.ts";

/**
 * A pooler in front of a PostgreSQL server, in transaction mode: each transaction of a client may use another
 * connection.
 */
export interface PgBouncer {
  readonly url: string;
  /** The output of `pgbouncer --version`. */
  readonly version: string;
  remove(): Promise<void>;
}

/** @param serverUrl the URL of a PostgreSQL server on the loopback address that trusts everybody */
export async function startPgBouncer(serverUrl: string): Promise<PgBouncer> {
  const { port: serverPort, username, pathname } = new URL(serverUrl);
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-pgbouncer-"));
  const port = await freePort();
  const file = path.join(folder, "pgbouncer.ini");
  const settings = [
    "[databases]",
    `* = host=127.0.0.1 port=${serverPort}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = any",
    "pool_mode = transaction",
    "default_pool_size = 3",
    "server_round_robin = 1",
  ];
  writeFileSync(file, `${settings.join("\n").replace("* =", `${pathname.slice(1)} = user=${username}`)}\n`);
  chmodSync(folder, 0o755);
  // PgBouncer refuses to run as root.
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child = spawn("pgbouncer", ["-q", ...user, file], { stdio: "ignore" });
  await untilListening(port);
  return {
    url: `postgres://${username}@127.0.0.1:${port}${pathname}`,
    version:
      /\d+\.\d+\S*/.exec(spawnSync("pgbouncer", ["--version"], { encoding: "utf8" }).stdout)?.[0] ?? "",
    async remove() {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const longestWaitMs = 10_000;

async function untilListening(port: number): Promise<void> {
  const giveUpAt = performance.now() + longestWaitMs;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const listening = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (listening) return;
    if (performance.now() > giveUpAt)
      throw new Error(`PgBouncer does not listen within ${longestWaitMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

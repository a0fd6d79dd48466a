import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "./free-port.ts";

export interface NginxServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts the real nginx with the configuration of an example, with other ports and folders.
 *
 * @param configuration listens on port 8080 and passes requests to `127.0.0.1:3000`
 * @param upstreamPort the application's real port
 */
export async function startNginx(configuration: string, upstreamPort: number): Promise<NginxServer> {
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-nginx-"));
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `  ${name}_temp_path ${folder}/${name};`,
  );
  const text = configuration
    .replace("listen 8080;", `listen 127.0.0.1:${port};`)
    .replace("127.0.0.1:3000", `127.0.0.1:${upstreamPort}`)
    .replace("http {\n", ["http {", "  access_log off;", ...temporary, ""].join("\n"));
  const file = path.join(folder, "nginx.conf");
  writeFileSync(file, `daemon off;\nmaster_process off;\npid ${folder}/nginx.pid;\n${text}`);
  const server = spawn(program(), ["-e", "stderr", "-p", folder, "-c", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const stop = async () => {
    server.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(server, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, stop };
}

/** Finds nginx. Debian installs it in a folder that is only on root's path. */
function program(): string {
  const folders = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin"];
  const found = folders.map((folder) => path.join(folder, "nginx")).find((file) => existsSync(file));
  if (found === undefined) throw new Error("These tests need nginx. On Debian: apt-get install nginx-light");
  return found;
}

const longestWaitMs = 20_000;

/** Polls nginx, which does not report when it is ready. */
async function untilListening(server: ChildProcess, port: number): Promise<void> {
  let said = "";
  server.stderr?.on("data", (piece) => {
    said += piece;
  });
  const giveUpAt = performance.now() + longestWaitMs;
  while (performance.now() < giveUpAt && server.exitCode === null) {
    if (await accepts(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nginx does not listen: ${said}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

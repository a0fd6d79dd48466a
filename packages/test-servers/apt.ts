import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Tries to install a Debian package. The caller checks afterwards whether it is there. */
export function installPackage(name: string): void {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update"], { stdio: "ignore", env });
  spawnSync("apt-get", ["install", "-y", "--no-install-recommends", name], { stdio: "ignore", env });
}

import { install, installedState } from "./install.mjs";
import { withLock } from "./lock.mjs";
import { build, staleOutputs } from "./outputs.mjs";
import { inRepository } from "./workspace.mjs";

const LOCK = inRepository(".preparing");

/**
 * Installs the packages that are missing or stale. Only one process does this at a time; others wait until it is done.
 *
 * @throws {import("./failure.mjs").Failure}
 */
export async function prepareInstalled() {
  if (installedState() === "fresh") return;
  await withLock(LOCK, installStale, tellWait);
}

/**
 * Installs and builds what is missing or stale. Only one process does this at a time; others wait until it is done.
 *
 * @throws {import("./failure.mjs").Failure}
 */
export async function prepareBuilt() {
  if (installedState() === "fresh" && staleOutputs().length === 0) return;
  await withLock(
    LOCK,
    async () => {
      await installStale();
      for (const output of staleOutputs()) {
        console.log(`Building ${output.name} …`);
        await build(output);
      }
    },
    tellWait,
  );
}

async function installStale() {
  const state = installedState();
  if (state === "fresh") return;
  console.log(
    state === "missing"
      ? "Installing packages (first run, about a minute) …"
      : "Installing packages (those named in package-lock.json have changed) …",
  );
  await install();
}

/** @param {number} processId */
function tellWait(processId) {
  console.log(`Waiting for process ${processId}, which is preparing this repository …`);
}

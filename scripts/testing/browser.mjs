import { existsSync } from "node:fs";
import path from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const MAC_PROGRAMS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/**
 * The system's Chromium: what `CHROMIUM_PATH` names, else the first one found on the path or among the Mac's applications.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined} the path of the program
 */
export function findChromium(environment) {
  if (environment.CHROMIUM_PATH) {
    return existsSync(environment.CHROMIUM_PATH) ? environment.CHROMIUM_PATH : undefined;
  }
  const folders = (environment.PATH ?? "").split(path.delimiter);
  const onPath = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  return [...onPath, ...MAC_PROGRAMS].find((program) => existsSync(program));
}

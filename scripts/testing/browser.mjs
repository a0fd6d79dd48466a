import { existsSync } from "node:fs";
import path from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const MAC_PROGRAMS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const FIREFOX_NAMES = ["firefox-esr", "firefox"];
const MAC_FIREFOX = ["/Applications/Firefox.app/Contents/MacOS/firefox"];

/**
 * Finds Chromium: the program that `CHROMIUM_PATH` names, otherwise the first one on the path or among the Mac's
 * applications.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined} the path of the program
 */
export function findChromium(environment) {
  return find(environment, environment.CHROMIUM_PATH, NAMES, MAC_PROGRAMS);
}

/**
 * Finds Firefox in the same way, with `FIREFOX_PATH`.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined} the path of the program
 */
export function findFirefox(environment) {
  return find(environment, environment.FIREFOX_PATH, FIREFOX_NAMES, MAC_FIREFOX);
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @param {string | undefined} named
 * @param {string[]} names
 * @param {string[]} elsewhere
 */
function find(environment, named, names, elsewhere) {
  if (named) return existsSync(named) ? named : undefined;
  const folders = (environment.PATH ?? "").split(path.delimiter);
  const onPath = folders.flatMap((folder) => names.map((name) => path.join(folder, name)));
  return [...onPath, ...elsewhere].find((program) => existsSync(program));
}

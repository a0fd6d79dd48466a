import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/**
 * Returns a digest of the names and contents of files, which differs whenever a file is changed, added, removed or
 * renamed. It uses contents, not times, so that switching branches back and forth keeps builds valid.
 *
 * @param {string} root paths are relative to this folder, so that a moved repository has the same fingerprint
 * @param {string[]} paths files and folders, which need not exist
 * @param {(path: string) => boolean} [isInput] leaves files and folders out, by their path relative to `root`
 * @returns {string}
 */
export function fingerprint(root, paths, isInput = () => true) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap((input) => filesUnder(root, input, isInput))) {
    hash.update(`${file}\0`).update(
      createHash("sha256")
        .update(readFileSync(path.join(root, file)))
        .digest(),
    );
  }
  return hash.digest("hex");
}

/**
 * @param {string} root
 * @param {string} input
 * @param {(path: string) => boolean} isInput
 * @returns {string[]} in the same order on every machine
 */
function filesUnder(root, input, isInput) {
  const full = path.join(root, input);
  if (!existsSync(full) || !isInput(input)) return [];
  if (!statSync(full).isDirectory()) return [input];
  return readdirSync(full)
    .sort()
    .flatMap((name) => filesUnder(root, path.posix.join(input, name), isInput));
}

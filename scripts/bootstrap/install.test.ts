import { describe, expect, it } from "vitest";
import { isInstalledAsWanted } from "./install.mjs";

type LockFile = Parameters<typeof isInstalledAsWanted>[0];

function lockFile(packages: LockFile["packages"]): LockFile {
  return { packages };
}

const zod = { version: "4.6.7", integrity: "sha512-zod" };
const headgate = { link: true };
const darwinOnly = { version: "1.0.0", integrity: "sha512-darwin", optional: true };
const wanted = lockFile({
  "": {},
  "apps/chat": { version: "0.1.0" },
  "node_modules/zod": zod,
  "node_modules/headgate": headgate,
  "node_modules/fsevents": darwinOnly,
});

describe("whether the required packages are installed", () => {
  it.each<[string, boolean, LockFile["packages"]]>([
    [
      "all packages",
      true,
      { "node_modules/zod": zod, "node_modules/headgate": headgate, "node_modules/fsevents": darwinOnly },
    ],
    ["all but an optional package", true, { "node_modules/zod": zod, "node_modules/headgate": headgate }],
    ["a package is missing", false, { "node_modules/headgate": headgate }],
    [
      "another version",
      false,
      { "node_modules/zod": { ...zod, version: "4.6.6" }, "node_modules/headgate": headgate },
    ],
    [
      "other content",
      false,
      { "node_modules/zod": { ...zod, integrity: "x" }, "node_modules/headgate": headgate },
    ],
    [
      "an extra package",
      false,
      { "node_modules/zod": zod, "node_modules/headgate": headgate, "node_modules/old": zod },
    ],
  ])("%s: %s", (_, expected, packages) => {
    expect(isInstalledAsWanted(wanted, lockFile({ "apps/chat": { version: "0.1.0" }, ...packages }))).toBe(
      expected,
    );
  });
});

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const dockerfile = readFileSync(path.join(root, "Dockerfile"), "utf8");
const [, build = "", last = ""] = dockerfile.split(/^FROM .*$/m);

const leftOut = readFileSync(path.join(root, ".dockerignore"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("!"));

/** Whether .dockerignore leaves a file or its folder out of the build. */
function isLeftOut(file: string): boolean {
  const folders = file.split("/").map((_, index, names) => names.slice(0, index + 1).join("/"));
  return folders.some((at) => leftOut.some((pattern) => path.matchesGlob(at, pattern)));
}

/** Installs the packages: the workspace's packages from the image's files, and all others as `npm ci` installs them. */
function installPackages(folder: string): void {
  const own = new Map(
    ["packages/headgate", "packages/headgate-server", "packages/headgate-console"].map((at) => [
      path.basename(at),
      at,
    ]),
  );
  mkdirSync(path.join(folder, "node_modules"));
  for (const name of readdirSync(path.join(root, "node_modules"))) {
    const at = own.get(name);
    const from = at === undefined ? path.join(root, "node_modules", name) : path.join(folder, at);
    symlinkSync(from, path.join(folder, "node_modules", name));
  }
  const nested = "apps/chat/node_modules";
  if (existsSync(path.join(root, nested))) symlinkSync(path.join(root, nested), path.join(folder, nested));
}

test("the image's build has all files that it needs", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-image-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lines = build.match(/^(COPY|RUN) .*$/gm) ?? [];
  expect(lines.filter((line) => line.startsWith("RUN")).length).toBeGreaterThan(4);
  for (const line of lines) {
    const [instruction, ...words] = line.split(" ");
    if (instruction === "COPY") {
      const to = words.pop() ?? "";
      for (const from of words) {
        const file = path.join(root, from);
        const isFolder = !/\.\w+$|\.npmrc$/.test(from);
        cpSync(file, path.join(folder, isFolder ? to : path.join(to, path.basename(from))), {
          recursive: true,
          filter: (source) => path.basename(source) === ".npmrc" || !isLeftOut(path.relative(root, source)),
        });
      }
    } else if (words.join(" ").startsWith("npm ci")) installPackages(folder);
    else {
      const { status, stderr, stdout } = spawnSync(words[0] ?? "", words.slice(1), {
        cwd: folder,
        encoding: "utf8",
      });
      expect(status, `${line}\n${stdout}${stderr}`).toBe(0);
    }
  }
  // All files that the last stage copies must exist.
  const taken = [...last.matchAll(/^COPY --from=build \/app\/(\S+) /gm)].map(([, file = ""]) => file);
  expect(taken).toHaveLength(3);
  for (const file of taken) expect(existsSync(path.join(folder, file)), file).toBe(true);
  expect(existsSync(path.join(folder, "apps/chat/server/dist/main.js"))).toBe(true);
}, 300_000);

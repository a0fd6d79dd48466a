import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { importedFile, isTest, sourceFiles } from "./imports.ts";
import { reachableFrom } from "./reachable.ts";
import { CHAT, CONSOLE, LIBRARY, violations, type Zone } from "./rules.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const library = sourceFiles(root, ["packages/headgate/src"]);
const operatorConsole = sourceFiles(root, ["packages/headgate-console"]);
const chat = sourceFiles(root, ["apps/chat"]);

const manifest: { exports: Record<string, string | { "headgate-source": string }> } = JSON.parse(
  readFileSync(path.join(root, "packages/headgate/package.json"), "utf8"),
);
/** Each entry with its source file: `headgate/http` and `packages/headgate/src/http/index.ts`. */
const entries = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === "string"
    ? []
    : [
        [
          path.posix.join("headgate", subpath),
          path.posix.join("packages/headgate", target["headgate-source"]),
        ] as const,
      ],
);

describe.each<[string, typeof library, Zone[]]>([
  ["the library", library, LIBRARY],
  ["the console", operatorConsole, CONSOLE],
  ["the service", chat, CHAT],
])("imports in %s", (_, files, zones) => {
  it.each(zones.map(({ name, files: pattern }) => [name, pattern] as const))(
    "%s imports only lower zones",
    (name, pattern) => {
      const inZone = files.filter(
        (file) => zones.find(({ files: match }) => match.test(file.path))?.files === pattern,
      );
      const wrong = inZone
        .filter(({ path: file }) => !isTest(file))
        .flatMap((file) => violations(file, zones));
      expect(wrong, name).toEqual([]);
    },
  );

  it("every file belongs to a zone", () => {
    const placeless = files.filter(({ path: file }) => !zones.some(({ files: match }) => match.test(file)));
    expect(placeless.map(({ path: file }) => file)).toEqual([]);
  });

  it("every imported file exists", () => {
    const targets = files.flatMap((file) =>
      file.imports.map((import_) => ({ file: file.path, target: importedFile(file, import_) })),
    );
    const missing = targets.filter(
      ({ target }) => target !== undefined && !existsSync(path.join(root, target)),
    );
    expect(missing).toEqual([]);
  });
});

describe("the published package", () => {
  /** The packages that an entry may import. */
  const peers: Record<string, RegExp> = {
    "headgate/hono": /^hono(\/|$)/,
    "headgate/nest": /^@nestjs\/common$/,
    "headgate/log": /^node:(crypto|fs\/promises|path)$/,
    "headgate/otel": /^@opentelemetry\/api$/,
    "headgate/react": /^react(\/|$)/,
    // Drivers are imported only if a URL needs them. The other imports are modules of Node.js.
    "headgate/redis": /^node:crypto$/,
    "headgate/postgres": /^node:crypto$/,
  };

  it.each(entries)("loads only allowed packages for the entry %s", (name, entry) => {
    const { packages } = reachableFrom(entry, library);
    expect(packages.filter((specifier) => !peers[name]?.test(specifier))).toEqual([]);
  });

  it.each(entries.filter(([name]) => /\/(client|react)$/.test(name)))(
    "loads no server code for the entry %s",
    (_, entry) => {
      const { files } = reachableFrom(entry, library);
      expect(files.filter((file) => !/\/src\/(client|react)\//.test(file))).toEqual([]);
    },
  );

  it("is imported by the service only through its entries", () => {
    const names: string[] = [...entries.map(([name]) => name), "headgate/package.json"];
    const inside = chat.flatMap((file) =>
      file.imports
        .filter(({ specifier }) => /^headgate(\/|$)/.test(specifier) && !names.includes(specifier))
        .map(({ specifier, line }) => `${file.path}:${line} imports "${specifier}"`),
    );
    const around = chat.flatMap((file) =>
      file.imports
        .filter((import_) => importedFile(file, import_)?.startsWith("apps/chat/") === false)
        .map(({ specifier, line }) => `${file.path}:${line} imports "${specifier}"`),
    );
    expect([...inside, ...around]).toEqual([]);
  });
});

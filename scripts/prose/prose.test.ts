import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Example, readExamples } from "./examples.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
/** Not under node_modules, where Node does not strip types. */
const folder = join(root, ".prose");

async function pages(): Promise<string[]> {
  const docs = await readdir(join(root, "docs"), { recursive: true });
  return ["README.md", ...docs.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)].sort();
}

const texts = await Promise.all(
  (await pages()).map(async (page) => ({ page, text: await readFile(join(root, page), "utf8") })),
);
const examples = texts.flatMap(({ page, text }) => readExamples(page, text));

function fileOf({ page, line, language }: Example): string {
  return join(folder, `${page.replaceAll(/[^a-z0-9]+/gi, "-")}-${line}.${language}`);
}

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // `export {}` makes each example a module, so that names do not clash.
  await Promise.all(examples.map((example) => writeFile(fileOf(example), `${example.code}export {};\n`)));
  const options = {
    jsx: "react-jsx",
    experimentalDecorators: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
  };
  const project = { extends: "../tsconfig.base.json", compilerOptions: options, include: ["*.ts", "*.tsx"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(project));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the code in the pages", () => {
  it("compiles", async () => {
    const tsc = join(root, "node_modules/.bin/tsc");
    const failure = await run(process.execPath, [tsc, "-p", folder], { cwd: folder }).catch(
      (error) => error.stdout,
    );
    expect(typeof failure === "string" ? explain(failure) : "").toBe("");
  }, 60_000);

  it.each(
    examples
      .filter(({ runs }) => runs)
      .map((example) => [`${example.page}:${example.line}`, example] as const),
  )(
    "runs: %s",
    async (_place, example) => {
      const arguments_ = ["--conditions=headgate-source", "--no-warnings", fileOf(example)];
      const { stderr } = await run(process.execPath, arguments_, { cwd: folder, timeout: 30_000 });
      expect(stderr).toBe("");
    },
    35_000,
  );
});

describe("the links in the pages", () => {
  const links = texts.flatMap(({ page, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)]*)?\)/g)].map(
      ([, target]) => [page, target as string] as const,
    ),
  );

  it.each(links)("%s leads to %s", async (page, target) => {
    const path = join(root, dirname(page), target);
    const names = await readdir(dirname(path)).catch(() => []);
    expect(names).toContain(path.replace(/\/$/, "").split("/").at(-1));
  });
});

describe("the anchors that links lead to", () => {
  const anchors = new Map(texts.map(({ page, text }) => [page, anchorsOf(text)]));
  const links = texts.flatMap(({ page, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s#]*)#([^)\s]+)\)/g)].map(([, file, place]) => {
      const target = file ? posix.join(posix.dirname(page), file) : page;
      return [page, target, place as string] as const;
    }),
  );

  it.each(links.filter(([, target]) => anchors.has(target)))("%s leads to %s#%s", (_page, target, place) => {
    expect(anchors.get(target)).toContain(place);
  });
});

/** Returns the anchors that GitHub gives to headings. */
function anchorsOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Replaces the names of the copies in compiler messages by the pages. */
function explain(output: string): string {
  return output
    .split("\n")
    .map((line) => {
      const example = examples.find((one) => line.startsWith(fileOf(one).slice(folder.length + 1)));
      return example === undefined ? line : `${example.page}, example at line ${example.line}: ${line}`;
    })
    .join("\n")
    .trim();
}

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { plainText } from "../site/text.ts";
import { readComment } from "./comments.ts";
import { readDeclarations } from "./declarations.ts";
import { referencePages } from "./pages.ts";
import { breakParameters, readMembers } from "./signatures.ts";

describe("readComment", () => {
  it("tells the description, the parameters and the tags apart", () => {
    const comment =
      "/**\n * What it does,\n * at length.\n *\n * @param name which one\n *   of them\n * @throws Error for none\n */";
    expect(readComment(comment)).toEqual({
      description: "What it does,\nat length.",
      parameters: [{ name: "name", text: "which one\n  of them" }],
      tags: [{ name: "throws", text: "Error for none" }],
    });
  });

  it("takes no address within a line for a tag", () => {
    expect(readComment("/** Write to a@b.example, as `@param` says. */")).toEqual({
      description: "Write to a@b.example, as `@param` says.",
      parameters: [],
      tags: [],
    });
  });
});

describe("readDeclarations", () => {
  it("gives each statement its comment, and joins overloads", () => {
    const source =
      '/** One. */\nexport declare function f(a: string): void;\n/** Two. */\nexport declare function f(a: number): void;\n/** Names. */\nexport type T = "a"\n/** Within. */\n | "b";\n';
    const { declarations } = readDeclarations("x.d.ts", source);
    expect(declarations.get("f")?.signatures).toEqual([
      { comment: "/** One. */", text: "function f(a: string): void;" },
      { comment: "/** Two. */", text: "function f(a: number): void;" },
    ]);
    expect(declarations.get("T")?.signatures).toEqual([
      { comment: "/** Names. */", text: 'type T = "a"\n/** Within. */\n | "b";' },
    ]);
  });

  it("refuses what it does not know rather than leave it out", () => {
    expect(() => readDeclarations("x.d.ts", "export declare enum E {\n}\n")).toThrow(
      "x.d.ts: a statement of an unknown kind",
    );
  });
});

describe("readMembers", () => {
  it("reads members with their comments, and leaves out what is private", () => {
    const text =
      "class C<T> extends D {\n    #private;\n    private readonly x;\n    /**\n     * Told.\n     */\n    m(a: {\n        b: T;\n    }): void;\n    readonly n: T;\n}";
    expect(readMembers(text)).toEqual({
      head: "class C<T> extends D",
      members: [
        { comment: "    /**\n     * Told.\n     */", text: "m(a: {\n    b: T;\n}): void;" },
        { comment: "", text: "readonly n: T;" },
      ],
    });
  });
});

describe("breakParameters", () => {
  it("leaves a short signature alone", () => {
    expect(breakParameters("function f(a: string, b: number): void;")).toBe(
      "function f(a: string, b: number): void;",
    );
  });

  it("breaks between parameters and nowhere else", () => {
    const signature =
      "function longName<A extends (x: number) => void, B>(first: Map<string, A>, second: (a: A, b: B) => void): void;";
    expect(breakParameters(signature)).toBe(
      "function longName<A extends (x: number) => void, B>(\n    first: Map<string, A>,\n    second: (a: A, b: B) => void,\n): void;",
    );
  });
});

describe("referencePages", () => {
  let folder: string | undefined;
  afterEach(() => folder && rm(folder, { recursive: true, force: true }));

  async function written(files: Record<string, string>): Promise<string> {
    folder = await mkdtemp(path.join(tmpdir(), "reference-"));
    await mkdir(path.join(folder, "dist"));
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    return folder;
  }

  const manifest = JSON.stringify({
    name: "gate",
    exports: {
      ".": { types: "./dist/index.d.ts" },
      "./more": { types: "./dist/more.d.ts" },
      "./package.json": "./package.json",
    },
  });

  it("writes a page for each subpath, with links to where a type is exported", async () => {
    const pages = referencePages(
      await written({
        "package.json": manifest,
        "dist/index.d.ts": 'export { open, type Options } from "./open.js";\n',
        "dist/open.d.ts":
          "interface Inner {\n    a: string;\n}\nexport interface Options {\n    /** How wide. */\n    width?: Inner;\n}\n/** Opens, see {@link Options}. */\nexport declare function open(options: Options): void;\n",
        "dist/more.d.ts":
          'import type { Options } from "./open.js";\n/** Closes. */\nexport declare function close(options: Options): void;\n',
      }),
    );
    expect(pages.map(({ path, specifier }) => [path, specifier])).toEqual([
      ["reference/gate.html", "gate"],
      ["reference/gate-more.html", "gate/more"],
    ]);
    const [gate, more] = pages.map(({ html }) => html);
    expect(gate).toContain('<h3 id="open">');
    expect(gate).toContain('Opens, see <a href="#Options"><code>Options</code></a>.');
    expect(gate).toContain('<a href="#Inner">Inner</a>');
    expect(plainText(gate ?? "")).toContain("width?: InnerHow wide.");
    expect(gate).toMatch(/id="not-exported"[\s\S]*<h3 id="Inner">/);
    expect(more).toContain('<a href="gate.html#Options">Options</a>');
    expect(more).not.toContain('id="Inner"');
  });

  it("refuses an export that is declared nowhere", async () => {
    const root = await written({
      "package.json": manifest,
      "dist/index.d.ts": 'export { gone } from "./more.js";\n',
      "dist/more.d.ts": "export {};\n",
    });
    expect(() => referencePages(root)).toThrow('exports "gone", which is declared nowhere');
  });
});

import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { type Consumer, makeConsumer, run } from "./consumer.ts";
import { program as wholeProgram } from "./program.ts";

/** Makes a consumer whose program uses every subpath, with every peer and the types that the peers need. */
export async function makeTypedConsumer(name: string): Promise<Consumer> {
  const { peerDependencies } = JSON.parse(
    await readFile(new URL("../package.json", import.meta.url), "utf8"),
  );
  const types = ["@types/node", "@types/react", "@types/express", "@types/koa", "@types/pg"];
  const consumer = await makeConsumer(name, [...Object.keys(peerDependencies), ...types]);
  await writeProgram(consumer, wholeProgram);
  return consumer;
}

/** Writes a program for `compile`: once as an ES module, once as CommonJS. */
export async function writeProgram({ folder }: Consumer, text: string): Promise<void> {
  for (const file of ["program.ts", "program.cts"]) await writeFile(path.join(folder, file), text);
}

export interface Compilation {
  /** The folder of a version of TypeScript. */
  readonly compiler: string;
  readonly version: string;
  readonly module: string;
  readonly moduleResolution: string;
  /** With `false`, the compiler checks every declaration, including those of the peers, which takes a while. */
  readonly skipLibCheck: boolean;
  /** Whether the program is CommonJS by its file name, and not an ES module by its package. */
  readonly isCommonJs?: boolean;
}

/** Compiles the consumer's program with the strictest options. Returns the errors in the program or in the package. */
export async function compile(consumer: Consumer, one: Compilation): Promise<string> {
  const { compiler, version, moduleResolution, module, skipLibCheck, isCommonJs = false } = one;
  const program = isCommonJs ? "program.cts" : "program.ts";
  const configuration = {
    compilerOptions: {
      moduleResolution,
      module,
      target: "es2022",
      lib: ["es2023", "esnext.disposable", "dom", "dom.iterable"],
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck,
    },
    files: [program],
  };
  const file = path.join(consumer.folder, `tsconfig.${program}-${module}-${version}.json`);
  await writeFile(file, JSON.stringify(configuration));
  const words = [path.join(compiler, "bin/tsc"), "-p", file, "--listFiles"];
  const { stdout } = await run(consumer.folder, process.execPath, words);
  const lines = stdout.split("\n");
  // The whole package must have been checked. Errors in the declarations of other packages are ignored.
  const looked = lines.filter((line) => line.includes("node_modules/headgate/dist/"));
  expect(looked.length).toBeGreaterThan(50);
  const theirs = /^\S*node_modules\/(?!headgate\/)\S*\(\d/;
  return lines.filter((line) => line.includes("error TS") && !theirs.test(line)).join("\n");
}

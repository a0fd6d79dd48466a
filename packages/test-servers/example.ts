import { execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A running example, started as a reader would start it. */
export interface RunningExample {
  /** Such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** Asks the example to end, and waits for it. @returns its exit code, or `null` if the signal ended it */
  stop(): Promise<number | null>;
}

const examples = new URL("../../examples/", import.meta.url);
const modules = new URL("../node_modules/", examples);
const run = promisify(execFile);

/** The path of an example's file. */
export function exampleFile(name: string): string {
  return fileURLToPath(new URL(name, examples));
}

/** Compiles an example with decorators, which Node's type stripping does not support. */
export async function compileExample(name: string): Promise<string> {
  const folder = fileURLToPath(new URL(`.cache/headgate-examples/${name}/`, modules));
  const tsc = fileURLToPath(new URL("typescript/bin/tsc", modules));
  // Without type checks: the examples' own project checks them.
  const settings =
    "--ignoreConfig --noCheck --noResolve --experimentalDecorators --target es2022 --module nodenext";
  await run(process.execPath, [
    tsc,
    exampleFile(`${name}/index.ts`),
    ...settings.split(" "),
    "--outDir",
    folder,
  ]);
  return `${folder}index.js`;
}

/** Runs an example on a free port, and waits until it prints its address. */
export function startExample(
  name: string,
  environment: Readonly<Record<string, string>> = {},
  file = exampleFile(`${name}/index.ts`),
): Promise<RunningExample> {
  const child = spawn(process.execPath, ["--conditions=headgate-source", "--no-warnings", file], {
    env: { ...process.env, PORT: "0", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const stop = () => {
    child.kill();
    return ended;
  };
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (piece: Buffer) => {
      output += piece;
      const origin = /Listening on (http:\S+)/.exec(output)?.[1];
      if (origin !== undefined) resolve({ origin, stop });
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    ended.then(() => reject(new Error(`examples/${name} ended: ${output}`)));
  });
}

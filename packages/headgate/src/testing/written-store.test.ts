import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { describe, it } from "vitest";
import { adjustStates, decideStates, overrideStates, resetStates } from "../core/partition-state.ts";
import type { Store } from "../core/store.ts";
import { fakeClock } from "./fake-clock.ts";
import { storeSuite } from "./store-suite/index.ts";

const page = readFileSync(new URL("../../../../docs/writing-a-store.md", import.meta.url), "utf8");

/** Reads the store from the page, and replaces its imports. */
function readExample(): () => Store {
  const example = /```ts\n([\s\S]*?exampleStore\(\)[\s\S]*?)```/.exec(page)?.[1];
  if (example === undefined) throw new Error("docs/writing-a-store.md shows no exampleStore().");
  const code = stripTypeScriptTypes(example)
    .replace(/^import .*$/gm, "")
    .replace("export function", "return function");
  return new Function(...Object.keys(imported), code)(...Object.values(imported));
}

const imported = { adjustStates, decideStates, overrideStates, resetStates };

describe("storeSuite, on the store that docs/writing-a-store.md shows", () => {
  const exampleStore = readExample();
  const suite = storeSuite({
    create: () => ({ store: exampleStore(), clock: fakeClock(), close: () => {} }),
    scripts: 10,
    // This store writes all reservations at each call, so a test with thousands of reservations would take minutes.
  }).filter(({ name }) => !name.startsWith("a partition holds for 4,096 reservations"));
  it.each(suite.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run());
});

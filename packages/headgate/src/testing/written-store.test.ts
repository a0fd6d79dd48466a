import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { describe, it } from "vitest";
import type { Store } from "../core/store.ts";
import { fakeClock } from "./fake-clock.ts";
import { storeSuite } from "./store-suite.ts";

const page = readFileSync(new URL("../../../../docs/writing-a-store.md", import.meta.url), "utf8");

/** The store that the page shows. It imports types only, so that it can be run from anywhere. */
async function readExample(): Promise<() => Store> {
  const example = /```ts\n([\s\S]*?exampleStore\(\)[\s\S]*?)```/.exec(page)?.[1];
  if (example === undefined) throw new Error("docs/writing-a-store.md shows no exampleStore().");
  const code = stripTypeScriptTypes(example);
  const { exampleStore } = await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`
  );
  return exampleStore;
}

describe("storeSuite, on the store that docs/writing-a-store.md shows", async () => {
  const exampleStore = await readExample();
  const suite = storeSuite({
    create: () => ({ store: exampleStore(), clock: fakeClock(), close: () => {} }),
    scripts: 10,
  });
  it.each(suite.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run());
});

import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { makeConsumer } from "./consumer.ts";
import { type Api, readApi } from "./declarations.ts";

const reports = fileURLToPath(new URL("../api", import.meta.url));
const consumer = await makeConsumer("reported");

it.each(consumer.specifiers)("the API of %s equals its report", async (specifier) => {
  const api = apiOf(specifier);
  const name = `${specifier.replace("/", "-")}.api.md`;
  await expect(
    report(specifier, api),
    `What ${specifier} exports is not what packages/headgate/api/${name} says. If that is meant: npm run api`,
  ).toMatchFileSnapshot(path.join(reports, name));
});

// Stored states are arrays of numbers. If users could reach their types, the meaning of the numbers could not be
// changed.
it.each(consumer.specifiers)("no type of %s shows the format of a stored state", (specifier) => {
  const { exported, reachable } = apiOf(specifier);
  const declared = [...exported, ...reachable];
  expect(declared.filter(([, text]) => /\bFloat64Array\b/.test(text)).map(([name]) => name)).toEqual([]);
  const inside = ["Algorithm", "CountingGroup", "OtherState", "DefinedLayer", "LayerMemory", "MemoryOutcome"];
  expect(declared.map(([name]) => name).filter((name) => inside.includes(name))).toEqual([]);
});

function apiOf(specifier: string): Api {
  const target = consumer.manifest.exports[`.${specifier.slice("headgate".length)}`];
  const declarations = typeof target === "object" ? target.require.types : "";
  return readApi(path.join(consumer.folder, "node_modules/headgate", declarations));
}

function report(specifier: string, { exported, reachable }: Api): string {
  return [
    `# ${specifier}`,
    "Written by `npm run api`, and checked by the tests: a change here is a change for those who use it.",
    section(exported),
    ...(reachable.size ? ["## Part of these, and not exported by this subpath", section(reachable)] : []),
    "",
  ].join("\n\n");
}

function section(declarations: Map<string, string>): string {
  const sorted = [...declarations].sort(([a], [b]) => (a < b ? -1 : 1));
  return `\`\`\`ts\n${sorted.map(([, text]) => text).join("\n\n")}\n\`\`\``;
}

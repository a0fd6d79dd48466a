import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, inject, it } from "vitest";
import { readApi } from "./declarations.ts";

async function write(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(path.join(inject("workplace"), "declarations-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return path.join(folder, "index.d.ts");
}

it("follows an export to its declaration, and to the types that it uses", async () => {
  const entry = await write({
    "index.d.ts": `export { open as openGate, type Gate } from "./gate.ts";\n//# sourceMappingURL=index.d.ts.map`,
    "gate.d.ts": `import type { Width } from "./parts/width.ts";
import { EventEmitter } from "node:events";
/** A gate. */
export interface Gate extends EventEmitter {
    /** How wide: a {@link Hidden} matter. */
    width: Width;
}
export declare function open(width: Width): Gate;
export declare function open(): Gate;
interface Hidden {
    never: true;
}
`,
    "parts/width.d.ts": `export type Width = number;\nexport declare const unused: Width;\n`,
  });
  const { exported, reachable } = readApi(entry);
  expect(Object.fromEntries(exported)).toEqual({
    Gate: "interface Gate extends EventEmitter {\n    width: Width;\n}",
    openGate: "function open(width: Width): Gate;\nfunction open(): Gate;",
  });
  expect(Object.fromEntries(reachable)).toEqual({ Width: "type Width = number;" });
});

it("reports an export that it cannot follow", async () => {
  const missing = await write({
    "index.d.ts": `export { gone } from "./other.ts";`,
    "other.d.ts": "export {};",
  });
  expect(() => readApi(missing)).toThrow('exports "gone", which is declared nowhere');
  const strange = await write({ "index.d.ts": "export default function open(): void;" });
  expect(() => readApi(strange)).toThrow("a statement of an unknown kind");
});

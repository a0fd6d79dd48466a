import { mkdir, writeFile } from "node:fs/promises";
import { compareAlgorithms } from "./algorithms.ts";

/**
 * Draws docs/images/algorithms.svg and prints the figures that docs/choosing-an-algorithm.md states.
 *
 *     node --conditions=headgate-source bench/figures/pictures.ts
 */
const { picture, rows } = compareAlgorithms();
const file = new URL("../../docs/images/algorithms.svg", import.meta.url);
await mkdir(new URL(".", file), { recursive: true });
await writeFile(file, picture);
console.log(rows.join("\n"));

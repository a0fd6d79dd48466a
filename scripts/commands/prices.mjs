import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { LIST, priceList, TABLE } from "../prices/list.mjs";

/** `npm run prices`: writes the module that the service reads, after a change of the price table. */
export function prices() {
  writeFileSync(LIST, priceList(JSON.parse(readFileSync(TABLE, "utf8"))));
  execFileSync("biome", ["format", "--write", fileURLToPath(LIST)], { stdio: "inherit" });
}

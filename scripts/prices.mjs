import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { LIST, priceList, TABLE } from "./prices/list.mjs";

// `npm run prices`: after a change of the table, writes the module that the service reads.
writeFileSync(LIST, priceList(JSON.parse(readFileSync(TABLE, "utf8"))));
execFileSync("biome", ["format", "--write", fileURLToPath(LIST)], { stdio: "inherit" });

import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

requireSupportedNode();
import("./commands/bench.mjs").then(({ bench }) => bench(process.argv.slice(2)));

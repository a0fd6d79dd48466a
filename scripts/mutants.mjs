import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

requireSupportedNode();
import("./commands/mutants.mjs").then(({ mutants }) => mutants(process.argv.slice(2)));

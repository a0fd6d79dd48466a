import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

requireSupportedNode();
import("./commands/docs.mjs").then(({ docs }) => docs(process.argv.slice(2)));

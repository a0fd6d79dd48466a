import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

// Imported only afterwards: an old Node would fail on the syntax of the rest before it could say why.
requireSupportedNode();
import("./commands/start.mjs").then(({ start }) => start());

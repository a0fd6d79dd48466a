import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

// Imported after the check, because an old Node would fail on the syntax of the other modules.
requireSupportedNode();
import("./commands/start.mjs").then(({ start }) => start());

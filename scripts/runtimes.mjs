import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

requireSupportedNode();
import("./commands/runtimes.mjs").then(({ runtimes }) => runtimes());

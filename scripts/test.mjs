import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

requireSupportedNode();
import("./commands/test.mjs").then(({ test }) => test());

import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

requireSupportedNode();
import("./commands/ci.mjs").then(({ ci }) => ci());

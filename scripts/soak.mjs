import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

requireSupportedNode();
import("./commands/soak.mjs").then(({ soak }) => soak());

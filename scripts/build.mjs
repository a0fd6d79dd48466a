import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

requireSupportedNode();
import("./commands/build.mjs").then(({ build }) => build());

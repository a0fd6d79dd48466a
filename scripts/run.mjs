import { requireSupportedNode } from "./bootstrap/supported-node.mjs";

// `node scripts/run.mjs <command> …`: runs the function of that name, which ./commands has in a file of the same name.
// Imported after the check, because an old Node would fail on the syntax of the other modules.
requireSupportedNode();
const [name = "", ...words] = process.argv.slice(2);
import(`./commands/${name}.mjs`).then((commands) => commands[name](words));

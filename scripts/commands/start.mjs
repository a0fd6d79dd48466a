import { tellFailures } from "../bootstrap/failure.mjs";
import { nodeProgram } from "../bootstrap/install.mjs";
import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { ROOT, withPrograms } from "../bootstrap/workspace.mjs";
import { runInForeground } from "../processes/foreground.mjs";
import { endWithChildren } from "../processes/run.mjs";

/** The folder in which Node keeps compiled code between starts. */
const COMPILE_CACHE = `${ROOT}/node_modules/.cache/headgate/compiled`;

/** `npm start`: prepares the repository if needed, then runs the service until it is stopped. */
export async function start() {
  await tellFailures(async () => {
    const leavePreparing = endWithChildren();
    await prepareBuilt();
    leavePreparing();

    const endWithParent = new URL("../processes/end-with-parent.mjs", import.meta.url).href;
    const words = ["--import", endWithParent, "apps/chat/server/dist/main.js"];
    await runInForeground([
      {
        program: nodeProgram(),
        words,
        env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...withPrograms(process.env) },
      },
    ]);
  });
}

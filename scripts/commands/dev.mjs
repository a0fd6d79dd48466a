import { tellFailures } from "../bootstrap/failure.mjs";
import { nodeProgram } from "../bootstrap/install.mjs";
import { prepareInstalled } from "../bootstrap/prepare.mjs";
import { PROGRAMS, withPrograms } from "../bootstrap/workspace.mjs";
import { runInForeground } from "../processes/foreground.mjs";
import { endWithChildren } from "../processes/run.mjs";

/**
 * `npm run dev`: the service, started again on every change, and the page with hot reloading, both from sources and both
 * ended together. The page's server passes what is not the page on to the service.
 */
export async function develop() {
  await tellFailures(async () => {
    const leavePreparing = endWithChildren();
    await prepareInstalled();
    leavePreparing();

    const port = process.env.PORT || "3000";
    const env = {
      // An answer that is being streamed should not hold up the change that was just saved.
      SHUTDOWN_GRACE_SECONDS: "1",
      SERVICE_URL: `http://localhost:${port}`,
      ...withPrograms(process.env),
    };
    await runInForeground([
      {
        program: nodeProgram(),
        words: [
          "--watch",
          // Folders, and not what was imported: a file with a syntax error was not, and has to be watched all the more.
          "--watch-path=apps/chat/server",
          "--watch-path=apps/chat/tax",
          "--watch-path=packages/headgate/src",
          "--watch-path=packages/headgate-console/src",
          "--watch-path=packages/headgate-console/page",
          "--watch-preserve-output",
          "--conditions=headgate-source",
          "apps/chat/server/main.ts",
        ],
        env,
      },
      { program: `${PROGRAMS}/vite`, words: ["--config", "apps/chat/web/vite.config.ts"], env },
    ]);
  });
}

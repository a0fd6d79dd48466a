import { tellFailures } from "../bootstrap/failure.mjs";
import { nodeProgram } from "../bootstrap/install.mjs";
import { prepareInstalled } from "../bootstrap/prepare.mjs";
import { PROGRAMS, withPrograms } from "../bootstrap/workspace.mjs";
import { runInForeground } from "../processes/foreground.mjs";
import { endWithChildren } from "../processes/run.mjs";

/**
 * `npm run dev`: runs the service, which restarts on every change, and the page with hot reloading, both from sources.
 * Both end together. The page's server forwards all other requests to the service.
 */
export async function dev() {
  await tellFailures(async () => {
    const leavePreparing = endWithChildren();
    await prepareInstalled();
    leavePreparing();

    const port = process.env.PORT || "3000";
    const env = {
      // Do not wait for running answers before a restart.
      SHUTDOWN_GRACE_SECONDS: "1",
      SERVICE_URL: `http://localhost:${port}`,
      ...withPrograms(process.env),
    };
    await runInForeground([
      {
        program: nodeProgram(),
        words: [
          "--watch",
          // Watch folders rather than imported files: a file with a syntax error was not imported, but must be watched.
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

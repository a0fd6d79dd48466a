import { tellFailures } from "../bootstrap/failure.mjs";
import { prepareBuilt } from "../bootstrap/prepare.mjs";
import { endWithChildren } from "../processes/run.mjs";

/** `npm run build`: installs and builds what is missing or stale. */
export async function build() {
  await tellFailures(async () => {
    endWithChildren();
    await prepareBuilt();
    console.log(
      "Built: packages/{headgate,headgate-server,headgate-console}/dist, apps/chat/server/dist, apps/chat/web/dist",
    );
  });
}

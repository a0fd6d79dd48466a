import { whenParentIsGone } from "./parent.mjs";

/**
 * Preloaded into the service (`node --import`). The service runs in its own process group, so it would outlive a killed
 * parent and keep the port and the database's files. This module shuts the service down cleanly when its parent is
 * gone.
 */
whenParentIsGone(() => process.kill(process.pid, "SIGTERM"));

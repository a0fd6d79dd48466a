import { whenParentIsGone } from "./parent.mjs";

/**
 * Loaded into the service ahead of it (`node --import`). It runs in a group of its own and would outlive a starter that was
 * ended by force, holding the port and the database's files; so it ends, in good order, when its starter is gone.
 */
whenParentIsGone(() => process.kill(process.pid, "SIGTERM"));

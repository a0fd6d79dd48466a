import { createClient } from "headgate/client";

/** Sends every request of the page, so that a refusal or a quota in any response is known everywhere. */
export const client = createClient();

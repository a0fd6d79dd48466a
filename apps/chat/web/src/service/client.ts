import { createClient } from "headgate/client";

/** Every request of the page passes through here, so that a refusal or a quota in any answer is known everywhere. */
export const client = createClient();

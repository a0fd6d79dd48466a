import { createClient } from "headgate/client";

/** The client that sends all requests of the page, so that it records the refusal or quota of any response. */
export const client = createClient();

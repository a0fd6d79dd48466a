import type { RateLimitedError } from "headgate/client";
import { useSyncExternalStore } from "react";
import { client } from "./client.ts";

/** The current caller's last refusal, in this tab or another, before or after a reload; also once its deadline has passed. */
export function useRefusal(): RateLimitedError | undefined {
  return useSyncExternalStore(client.subscribe, client.refusal);
}

import type { RateLimitedError } from "headgate/client";
import { useSyncExternalStore } from "react";
import { client } from "./client.ts";

/** Returns the caller's last refusal, from any tab and from before a reload, even after its deadline. */
export function useRefusal(): RateLimitedError | undefined {
  return useSyncExternalStore(client.subscribe, client.refusal);
}

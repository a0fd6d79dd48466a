import { createLimiter } from "headgate";
import { headgateLayers } from "../traffic.ts";
import type { SharedContender } from "./contender.ts";

/** Headgate with a URL, as docs/redis.md and docs/postgres.md recommend. */
export const headgate: SharedContender = {
  async open(url) {
    // A long time limit, because decisions by an outage policy would not measure the store.
    const limiter = createLimiter({
      name: "chat",
      layers: headgateLayers(),
      store: url,
      timeouts: { storeMs: 60_000 },
    });
    return {
      async visit(caller) {
        const answer = limiter.admit(caller);
        const admission = answer instanceof Promise ? await answer : answer;
        return admission.admitted;
      },
    };
  },
};

import { createLimiter } from "headgate";
import type { SharedContender } from "../../shared-store/contender.ts";
import { headgateLayers } from "../../traffic.ts";

/** A URL, as docs/redis.md advises. */
export const headgate: SharedContender = {
  async open(url) {
    // What the store could not decide in time would be decided in this process: that would measure something else.
    const limiter = createLimiter({ layers: headgateLayers(), store: url, storeTimeoutMs: 60_000 });
    return {
      async visit(caller) {
        const answer = limiter.admit(caller);
        const admission = answer instanceof Promise ? await answer : answer;
        return admission.admitted;
      },
    };
  },
};

import { createLimiter } from "headgate";
import { headgateLayers } from "../traffic.ts";
import type { SharedContender } from "./contender.ts";

/** A URL, as docs/redis.md and docs/postgres.md advise. */
export const headgate: SharedContender = {
  async open(url) {
    // What the store could not decide in time would be decided in this process: that would measure something else.
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

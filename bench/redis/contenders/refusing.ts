import type { SharedContender } from "../../shared-store/contender.ts";

/** The cost of the measurement itself. */
export const sayingNo: SharedContender = {
  async open() {
    return { visit: async () => false };
  },
};

/** The minimum that remembers refused callers: one lookup, one reading of the clock. Refuses everybody for an hour. */
export const refusedUntil: SharedContender = {
  async open() {
    const until = new Map<string, number>();
    return {
      async visit({ user }) {
        const now = Date.now();
        const known = until.get(user);
        if (known === undefined) until.set(user, now + 3_600_000);
        return known !== undefined && known <= now;
      },
    };
  },
};

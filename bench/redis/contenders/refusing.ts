import type { SharedContender } from "../../shared-store/contender.ts";

/** What the measurement itself takes. */
export const sayingNo: SharedContender = {
  async open() {
    return { visit: async () => false };
  },
};

/** The least that knows who is refused: one look, one reading of the clock. Refuses everybody for an hour. */
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

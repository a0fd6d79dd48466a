import { Pool } from "pg";
import { RateLimiterPostgres, RateLimiterUnion } from "rate-limiter-flexible";
import type { SharedContender } from "../../shared-store/contender.ts";
import { type Limit, limits } from "../../traffic.ts";

/**
 * https://github.com/animir/node-rate-limiter-flexible/wiki/PostgreSQL: a pool of `pg`, and a table that it creates
 * itself.
 */
export const rateLimiterFlexible: SharedContender = {
  async open(url) {
    const storeClient = new Pool({ connectionString: url });
    const limiterOf = ({ quota, windowMs }: Limit, keyPrefix: string) =>
      new Promise<RateLimiterPostgres>((resolve, reject) => {
        const limiter: RateLimiterPostgres = new RateLimiterPostgres(
          { storeClient, tableName: "rate_limits", keyPrefix, points: quota, duration: windowMs / 1000 },
          (error) => (error ? reject(error) : resolve(limiter)),
        );
      });
    // Created one after the other, because all limiters create the same table.
    const minute = await limiterOf(limits.userPerMinute, "minute");
    const hour = await limiterOf(limits.userPerHour, "hour");
    const address = await limiterOf(limits.ipPerMinute, "ip");
    const union = new RateLimiterUnion(minute, hour, address);
    return {
      async visit({ user }) {
        try {
          await union.consume(user);
          return true;
        } catch (refused) {
          // The library rejects for errors as for refusals, but an error is not a measurement.
          if (Object.values(refused as object).some((each) => each instanceof Error)) throw refused;
          return false;
        }
      },
    };
  },
};

import { type Callback, Redis, type Result } from "ioredis";
import type { SharedContender } from "../../shared-store/contender.ts";
import { limits } from "../../traffic.ts";

declare module "ioredis" {
  interface RedisCommander<Context> {
    bare(key: string, callback?: Callback<number>): Result<number, Context>;
    packed(key: string, ...numbers: (number | Callback<number>)[]): Result<number, Context>;
  }
}

/** The cost of any script call. */
export const bareScript: SharedContender = {
  async open(url) {
    const redis = new Redis(url);
    redis.defineCommand("bare", { numberOfKeys: 1, lua: "return 1" });
    return { visit: async ({ user }) => (await redis.bare(user)) === 1 };
  },
};

/** The minimum that decides three layers: one read, one write, three numbers. */
export const packedScript: SharedContender = {
  async open(url) {
    const redis = new Redis(url);
    redis.defineCommand("packed", { numberOfKeys: 1, lua: threeGcra });
    const { userPerMinute, userPerHour, ipPerMinute } = limits;
    const numbers = [userPerMinute, userPerHour, ipPerMinute].flatMap(({ quota, windowMs }) => [
      windowMs / quota,
      windowMs,
    ]);
    return { visit: async ({ user }) => (await redis.packed(user, ...numbers)) === 1 };
  },
};

const threeGcra = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local held = redis.call('GET', KEYS[1])
local a, b, c = 0, 0, 0
if held then a, b, c = struct.unpack('ddd', held) end
a = math.max(now, a) + ARGV[1]
b = math.max(now, b) + ARGV[3]
c = math.max(now, c) + ARGV[5]
if a - now > tonumber(ARGV[2]) or b - now > tonumber(ARGV[4]) or c - now > tonumber(ARGV[6]) then return 0 end
redis.call('SET', KEYS[1], struct.pack('ddd', a, b, c), 'PX', ARGV[4])
return 1
`;

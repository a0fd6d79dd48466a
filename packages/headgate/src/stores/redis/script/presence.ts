import { processLifeMs } from "../../shared/presence.ts";

/**
 * Records that a process is alive, in a sorted set by the time of the last report, and returns the number of live processes.
 * `ARGV[1]` is the process's id, a space, and the time to use: 0 for the server's own.
 */
export const presenceScript = `local id, given = string.match(ARGV[1], '^(%S+) (%d+)$')
local now = tonumber(given)
if now == 0 then
local time = redis.call('TIME')
now = time[1] * 1000 + math.floor(time[2] / 1000)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - ${processLifeMs}))
redis.call('ZADD', KEYS[1], string.format('%.0f', now), id)
redis.call('PEXPIRE', KEYS[1], ${2 * processLifeMs})
return redis.call('ZCARD', KEYS[1])
`;

/** A constant, because a runtime without Node's modules can only hash asynchronously. A test checks the value. */
export const presenceSha = "bd9f1437833c64cac4bf17ef3d8e6120054ef40c";

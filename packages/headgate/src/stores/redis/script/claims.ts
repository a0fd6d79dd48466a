import { claimKeptMs, mostClaimAttempts, nobody } from "../../../core/claim.ts";

/**
 * The ids that requests claim: core/claim.ts. Each id has a key, among the last keys of the call: `message[7]` is their
 * number. The key is read only for a request that names it. Its value consists of: whether the request is done, the
 * expiry, the attempt, the reservation, the fingerprint and the result.
 */
export const claims = /* lua */ `
-- The functions, which are set up for the first claim; and the claim of the current request, with the position of its
-- answer.
local claims, claiming

local function setUpClaims()
  local opened, changed = {}, {}

  local function openClaim(place)
    local key = keys[#keys - message[7] + place]
    local c = opened[key]
    if not c then
      c = { key = key }
      opened[key] = c
      local raw = redis.call('MGET', key)[1]
      if raw then
        local done, endsAt, attempt, rid, length, from = string.match(raw, '^([01]) (%d+) (%d+) (%x+) (%d+) ()')
        if from and #raw >= from + length - 1 then
          c.done, c.endsAt, c.attempt, c.rid = done == '1', endsAt + 0, attempt + 0, rid
          c.fingerprint, c.result = sub(raw, from, from + length - 1), sub(raw, from + length)
        else
          c.corrupt = true
        end
      else
        c.corrupt = redis.call('EXISTS', key) > 0
      end
    end
    return c
  end

  local function overAt(c)
    return c.done and c.endsAt or c.endsAt + ${claimKeptMs}
  end

  local function forget(c)
    c.rid = nil
  end

  local function keepClaim(c, now, testClock)
    if not c.changed then changed[#changed + 1] = c end
    c.changed, c.now, c.testClock = true, now, testClock
  end

  -- Returns the number of the attempt; or 0, and then 1 for running, 2 for done or 3 for a conflict.
  local function meetClaim(c, fingerprint, rid, now)
    if c.rid and overAt(c) <= now then forget(c) end
    if not c.rid then return 1 end
    if c.rid == rid and not c.done then return c.attempt end
    if c.fingerprint ~= fingerprint then return 0, 3 end
    if c.done then return 0, 2 end
    if c.endsAt > now then return 0, 1 end
    return c.attempt < ${mostClaimAttempts} and c.attempt + 1 or 1
  end

  -- Reads the index of the claim's key. Then follow: the time, fingerprint, result, reservation, lease, the length of
  -- the form of the request that pays for requests, the length of the form that does not, the number of keys, and the
  -- number of keys with records.
  local function beginClaiming(place)
    local given, fingerprint, result, rid, lease, paid, free, count, onRecord = unpack(q, at, at + 8)
    at = at + 9
    local now, c = timeOf(given), openClaim(place)
    local attempt, known = -1, nil
    if not c.corrupt then attempt, known = meetClaim(c, rids[fingerprint], rids[rid], now) end
    o = o + 1
    out[o] = attempt
    if attempt > 0 then
      if attempt > 1 or c.rid == rids[rid] then at, free = at + paid, 0 end
      claiming = { c = c, attempt = attempt, fingerprint = rids[fingerprint], result = rids[result], rid = rids[rid] }
      claiming.endsAt, claiming.now, claiming.testClock = now + lease, now, given > 0
      claiming.answer, claiming.rest = o + 1, free
      return
    end
    out[o + 1] = known or 1
    if known then
      o = o + 1
      out[o + 1] = known == 3 and '' or c.result
    end
    o = o + 1
    at, key, heldKey = at + paid + free, key + count, heldKey + 2 * count
    if onRecord > 0 then recordKey = recordKey + onRecord end
  end

  local function endClaiming()
    local n, c = claiming, claiming.c
    claiming = nil
    at = at + n.rest
    local status = out[n.answer]
    if status ~= 1 and status ~= 2 then return end
    c.done, c.endsAt, c.attempt, c.rid, c.fingerprint, c.result = false, n.endsAt, n.attempt, n.rid, n.fingerprint, n.result
    keepClaim(c, n.now, n.testClock)
  end

  -- Reads the index of the claim's key. Then follow: the time, fingerprint, result, reservation, lease, attempt, and 1
  -- to 4 for running, done, unfinished and nothing. The last number is 1 if the claim may not be known yet, and 2 if
  -- the preceding cancel must have found its attempt.
  local function changeClaim(place)
    local given, fingerprint, result, rid, lease, attempt, state, raises = unpack(q, at, at + 7)
    at = at + 8
    local now, c = timeOf(given), openClaim(place)
    rid = rids[rid]
    if c.corrupt or raises == 2 and not isUndone then return end
    if c.rid and overAt(c) <= now then forget(c) end
    if c.rid and (c.rid ~= rid or c.done) then return end
    if state <= 2 then
      if state == 1 and not c.rid and raises == 0 then return end
      c.endsAt = state == 2 and now + ${claimKeptMs} or max(c.rid and c.endsAt or 0, now + lease)
      c.done, c.attempt, c.rid, c.fingerprint, c.result = state == 2, c.rid and c.attempt or attempt, rid, rids[fingerprint], rids[result]
    elseif not c.rid then
      return
    elseif state == 4 and c.attempt == 1 then
      forget(c)
    else
      c.endsAt, c.rid = min(c.endsAt, now), '${nobody}'
      if state == 4 then c.attempt = c.attempt - 1 end
    end
    keepClaim(c, now, given > 0)
  end

  -- Answers as which attempt a reservation owns the claim; 0 if it does not. Reads the index of the claim's key. Then
  -- follow the time and the reservation.
  local function isOwned(place)
    local now, rid, c = timeOf(q[at]), rids[q[at + 1]], openClaim(place)
    at, o = at + 2, o + 1
    out[o] = not c.corrupt and c.rid == rid and overAt(c) > now and c.attempt or 0
  end

  local function writeClaims()
    for i = 1, #changed do
      local c = changed[i]
      if c.rid then
        local value = format('%d %.0f %d %s %d ', c.done and 1 or 0, c.endsAt, c.attempt, c.rid, #c.fingerprint)
        value = value .. c.fingerprint .. c.result
        if c.testClock then
          redis.call('SET', c.key, value, 'PX', format('%.0f', max(overAt(c) - c.now, 3600000)))
        else
          redis.call('SET', c.key, value, 'PXAT', format('%.0f', overAt(c)))
        end
      else
        redis.call('DEL', c.key)
      end
    end
  end

  return { begin = beginClaiming, finish = endClaiming, change = changeClaim, isOwned = isOwned, write = writeClaims }
end

`;

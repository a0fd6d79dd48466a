/**
 * Reads the requests of one call and answers them in their order. `ARGV[1]` is JSON: the limit sets, as
 * `limit-descriptions.ts` writes them, and one flat list of numbers, as `encode.ts` writes it. `KEYS` has the keys of one
 * request after another. The answer is one flat list of whole numbers, which `decode.ts` reads. A request that
 * cannot be answered does not spoil the others.
 *
 * A plain request that is alone in its call has a shorter form, because the server needs time to read every number: the
 * time to decide by, then for each charge the tag, the widest window, the number of values of its limits, and these
 * values. If keys of attempts' records follow the partitions' keys, the first number is -1 minus the time. If the
 * request belongs to an attempt, the attempt's id is the last value.
 */
export const message = /* lua */ `
local message = cjson.decode(ARGV[1])
local isSingle, singles, looks = type(message[1]) == 'number', #keys, nil
if isSingle and message[1] < 0 then
  message[1], singles, looks = -1 - message[1], #keys / 2, message[#message]
  if type(looks) == 'number' then looks = '' end
end
-- How long the record of an attempt is kept, ms. Old records are removed in one of every 64 milliseconds.
local rememberedMs, tidyEvery = 30000, 64
local sets, q = message[1], message[2]
local out = { 0 }

-- The expiry of a growing log is set later by an eighth of its widest window, so that it need not be moved for each
-- entry.
local function endOf(latest, widest)
  return min(latest + floor(widest / 8), latestBlank)
end

`;

/** The parts that every other call needs. */
export const setUp = /* lua */ `
-- For requests with reservations: the number of partition keys, the reservations, and the lease and units of each limit
-- set. After the partition keys come two keys for each partition with possible holds, and then one key for each
-- partition with records of attempts.
local valueCount, rids, terms = isSingle and singles or message[3] or #keys, message[4], message[5]
local recordKey = isSingle and valueCount + 1 or message[6]
local at, size, key, heldKey = 1, #q, 1, valueCount + 1
local o = 1
local serverNow = out[1] > 0 and floor(out[1] / 1000)
-- For each charge of the next request, the id of the override that set its limits; 0 if the limits are the caller's
-- own.
local under

local function timeOf(given)
  if given > 0 then return given end
  if not serverNow then
    local time = redis.call('TIME')
    serverNow = time[1] * 1000 + floor(time[2] / 1000)
    -- Include the microseconds: they show the order of decisions in one millisecond.
    out[1] = time[1] * 1000000 + time[2]
  end
  return serverNow
end

`;

/** What runs, once everything before it is set up. */
export const requests = /* lua */ `
local other

-- Opens the records of the next request. Returns its fault; 0 for none.
local function openRecords(charges, now, testClock)
  if not spans then return 0 end
  local fault
  records, fault = attempts().open(charges, now, testClock)
  return fault
end

while at <= size do
  local what, given = q[at], q[at + 1]
  at = at + 2
  if what == 9 then
    under = { unpack(q, at, at + given - 1) }
    at = at + given
  elseif what <= 1 then
    -- Several requests, one after another, with several charges of the same form.
    local now, repeats, charges = timeOf(given), q[at], q[at + 1]
    local first = at + 2
    at = first
    for _ = 1, charges do at = at + 1 + 2 * #sets[q[at]] end
    local plain = what == 0 and not under and isPlain(first, charges)
    for _ = 1, repeats do
      local fault = openRecords(charges, now, given > 0)
      if fault ~= 0 then
        out[o + 1], out[o + 2] = fault, 1
        o = o + 2
      elseif not (plain and admitPlain(first, charges, key, now, given > 0)) then
        other = other or others()
        other.decide(what == 1, first, charges, key, now, given > 0)
      elseif records and spans ~= '' then
        attempts().noteCharges(first, charges, now)
      end
      key = key + charges
    end
  elseif what <= 3 then
    other = other or others()
    if what == 2 then other.reserve().adjust(timeOf(given), given > 0) else other.reset(timeOf(given), given > 0) end
  elseif what == 7 then
    other = other or others()
    other.reserve().cancel(timeOf(given), given > 0)
  elseif what == 8 then
    attempts().commit(q[at], given)
    at = at + 1
    out[o + 1] = 1
    o = o + 1
  elseif what == 11 then
    spans = rids[given] or ''
  elseif what == 10 then
    other = other or others()
    other.override(timeOf(given), given > 0)
  elseif what == 12 then
    claims = claims or setUpClaims()
    claims.begin(given)
  elseif what == 13 then
    claims = claims or setUpClaims()
    claims.change(given)
  elseif what == 14 then
    claims = claims or setUpClaims()
    claims.isOwned(given)
  elseif what >= 5 then
    -- The same with holds. Either each request has its own reservation, in order, or none has one.
    local now, repeats, charges, rid, seq = timeOf(given), q[at], q[at + 1], q[at + 2], q[at + 3]
    local first, width = at + 4, rid > 0 and 4 or 2
    at = first
    for _ = 1, charges do at = at + 2 + width * #sets[q[at]] end
    other = other or others()
    for n = 0, repeats - 1 do
      local fault = openRecords(charges, now, given > 0)
      other.reserve().decide(what, first, charges, key, now, given > 0, rid > 0 and rids[rid + n] or '', seq, fault)
      key = key + charges
    end
  else
    redis.call('SET', keys[key], '', 'PX', 1)
    key = key + 1
    out[o + 1] = 1
    o = o + 1
  end
  if what ~= 9 and what ~= 11 then
    under, spans, records = nil, nil, nil
    if claiming and what ~= 12 then claims.finish() end
  end
end

if other then other.finish() end
`;

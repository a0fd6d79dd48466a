/**
 * A fast path for the heartbeat of one to eight holds: a call whose only request adjusts different partitions and
 * changes no total. In each partition, it reads the header of the holdings, one entry, and the hold that expires first.
 * It writes the entry's expiry and the number of the call.
 *
 * It checks everything before it writes anything. If the entry differs from what the heartbeat says, if a hold may have
 * lapsed, or if the partition has limits other than sliding windows, token buckets and `concurrent`, it does nothing,
 * and the rest of the script decides the request from the start.
 */
export const renewals = /* lua */ `
-- The logs and token buckets of a partition's value, by tag: where each begins, and its length. Returns nothing
-- if the value has other states.
local function recordsIn(raw)
  local found, size = {}, raw and #raw or 0
  if size == 0 then return not raw and found or nil end
  if byte(raw, 1) == 2 then
    if size < 40 or (size - 26) % 14 ~= 0 then return nil end
    local tag = unpackFrom('<I5', raw, 2)
    found[tag] = { 13, size - 12 }
    return (tag % 8 == 1 or tag % 8 == 6) and found or nil
  end
  local at = 2
  if byte(raw, 1) ~= 1 then return nil end
  while at <= size do
    if at + 14 > size then return nil end
    local tag, _, length, from = unpackFrom('<I5I6I4', raw, at)
    local kind = tag % 8
    if found[tag] or kind ~= 1 and kind ~= 6 and kind ~= 2 then return nil end
    if kind == 2 and length ~= 44 or kind ~= 2 and (length < 14 or length % 14 ~= 0) then return nil end
    found[tag] = { from, length }
    at = from + length
  end
  return at == size + 1 and found or nil
end

-- What was spent within a window, and the time until the oldest charge leaves the window.
local function spentInLog(raw, log, now, window)
  if log[2] == 14 then return 0, 0 end
  local first, after = log[1] + 14, now - window
  local base, oldest = unpackFrom('<dI6', raw, log[1] + 6)
  local newest, total = unpackFrom('<I6d', raw, log[1] + log[2] - 14)
  if newest <= after then return 0, 0 end
  if oldest <= after then base, oldest = since(raw, first, (log[2] - 14) / 14, after) end
  return total - base, oldest - after
end

-- The same for a token bucket, with the time until one more unit is free. Returns nothing if the limits have changed,
-- or if the clock is behind the bucket's.
local function spentInBucket(raw, bucket, now, g)
  local stamp, level, _, perUnit, perMs = unpackFrom('<I6dI6dd', raw, bucket[1])
  if perUnit ~= g[4] or perMs ~= g[5] or stamp > now then return nil end
  level = max(0, level - (now - stamp) * perMs)
  if level == 0 then return 0, 0 end
  local left = floor((g[6] - level) / perUnit)
  return g[3] - left, ceil(max(0, level + (left + 1) * perUnit - g[6]) / perMs)
end

-- The time at which the first holder of a unit lapses, once this entry is renewed; nothing if that needs a longer
-- search.
local function firstLapse(h, e, unit, renewedTo)
  local first = h.first
  if not first then
    first = redis.pcall('ZRANGE', h.index, 0, 1, 'WITHSCORES')
    if first.err or #first < 2 then return nil end
    if first[1] == e.rid then
      if first[3] and tonumber(first[4]) < renewedTo then
        first = { first[3], first[4] }
      else
        first = { e.rid, renewedTo, e }
      end
    end
    h.first = first
  end
  if next(h.sums, next(h.sums)) ~= nil then
    local holder = first[3]
    if type(holder) ~= 'table' then
      local raw = redis.call('HGET', h.key, first[1])
      holder = raw and readEntry(first[1], raw)
      first[3] = holder
    end
    if not holder or not holder.held[unit] then return nil end
  end
  return tonumber(first[2])
end

-- Adds the readings of one partition to the answer. Returns whether that was possible.
local function readRenewed(h, e, raw, set, units, now, renewedTo, answers)
  local records = recordsIn(raw)
  if not records then return false end
  for n = 1, #set do
    local g, held = set[n], h.sums[units[n + 1]] or 0
    local kind, record, lapsesIn = g[2], records[g[1]], math.huge
    if kind ~= 1 and kind ~= 6 and kind ~= 2 and kind ~= 5 then return false end
    if held > 0 then
      local lapsesAt = firstLapse(h, e, units[n + 1], renewedTo)
      if not lapsesAt then return false end
      lapsesIn = lapsesAt - now
    end
    if kind ~= 5 and not record then
      -- A missing state starts from the counts of others of its unit.
      for tag in pairs(records) do
        if floor(tag / 16777216) == floor(g[1] / 16777216) then return false end
      end
    end
    local isLog = kind == 1 or kind == 6
    for l = isLog and 4 or 3, isLog and #g or 3, 2 do
      local spent, resetMs = 0, 0
      if record and isLog then
        spent, resetMs = spentInLog(raw, record, now, g[l + 1])
      elseif record then
        spent, resetMs = spentInBucket(raw, record, now, g)
      end
      local left = spent and g[l] - spent - held or -1
      if left < 0 then return false end
      if held > 0 then resetMs = min(spent > 0 and resetMs or lapsesIn, lapsesIn) end
      answers[#answers + 1], answers[#answers + 2] = left, resetMs
    end
  end
  return true
end

local function renew()
  local rids, terms, heldKey = message[4], message[5], message[3] + 1
  local now, count, at = q[2], q[3], 4
  local answers, writes = { 0, 1 }, {}
  if now == 0 then
    local time = redis.call('TIME')
    answers[1], now = time[1] * 1000000 + time[2], time[1] * 1000 + floor(time[2] / 1000)
  end
  for c = 1, count do
    local set, units, rid, seq = sets[q[at]], terms[q[at]], rids[q[at + 1]], q[at + 2]
    local size, known = #set, at + 3
    if q[at + 3] ~= 0 then return nil end
    for earlier = 1, c - 1 do
      if keys[earlier] == keys[c] then return nil end
    end
    local h = { key = keys[heldKey], index = keys[heldKey + 1], sums = {} }
    local raws = redis.pcall('HMGET', h.key, '', rid)
    if raws.err or not raws[1] or not raws[2] or not readHeader(h, raws[1]) then return nil end
    local e = readEntry(rid, raws[2])
    if not e or e.ended or e.lapsed or seq <= e.seq or h.earliest <= now or e.expiresAt <= now then return nil end
    for n = 1, size do
      local unit = units[n + 1]
      if e.used[unit] ~= q[known + size + n] or q[known + 2 * size + n] < (e.held[unit] or 0) then return nil end
    end
    local holding, renewedTo = e.holds > 0, now + units[1]
    if holding then renewedTo = max(e.expiresAt, renewedTo) else renewedTo = renewedTo + rememberedHoldMs end
    local raw = redis.pcall('GET', keys[c])
    if type(raw) == 'table' or not readRenewed(h, e, raw, set, units, now, renewedTo, answers) then return nil end
    h.record, h.header, h.holding, h.rid, h.renewedTo = pack('<BI6d', 16, renewedTo, seq) .. sub(raws[2], 16), raws[1], holding, rid, renewedTo
    writes[c] = h
    heldKey = heldKey + 2
    at = known + 3 * size + 1
    at = at + 1 + 4 * q[at]
  end
  if at ~= #q + 1 then return nil end

  for c = 1, count do
    local h = writes[c]
    local last = h.renewedTo + (h.holding and rememberedHoldMs or 0)
    if last <= h.endsAt then
      redis.call('HSET', h.key, h.rid, h.record)
      if h.holding then redis.call('ZADD', h.index, format('%.0f', h.renewedTo), h.rid) end
    else
      local endsAt = min(last + slackMs, latestBlank)
      local command, moment = 'PEXPIREAT', format('%.0f', endsAt)
      if q[2] > 0 then command, moment = 'PEXPIRE', format('%.0f', max(endsAt - now, 3600000)) end
      redis.call('HSET', h.key, h.rid, h.record, '', sub(h.header, 1, 7) .. pack('<I6', endsAt) .. sub(h.header, 14))
      redis.call(command, h.key, moment)
      if h.holding then
        redis.call('ZADD', h.index, format('%.0f', h.renewedTo), h.rid)
        redis.call(command, h.index, moment)
      end
    end
  end
  return answers
end

if not isSingle and q[1] == 2 and q[3] <= 8 and not message[7] then
  local answers = renew()
  if answers then return answers end
end
`;

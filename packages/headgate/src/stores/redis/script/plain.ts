/**
 * Most requests only charge sliding windows, exact or coarse, and are admitted. They are decided here from the packed
 * logs, one charge after another, without any setup. Other requests are left unchanged for `requests.ts`.
 */
export const plain = /* lua */ `
-- Whether every charge is to logs, and spends the units that it needs.
local function isPlain(first, charges)
  local i = first
  for _ = 1, charges do
    local set = sets[q[i]]
    local groups = #set
    -- An unlimited layer without other plans counts nothing.
    if groups == 0 then return false end
    for n = 1, groups do
      local kind, need = set[n][2], q[i + n]
      if kind ~= 1 and kind ~= 6 or need <= 0 or need ~= q[i + groups + n] then return false end
    end
    i = i + 1 + 2 * groups
  end
  return true
end

-- Whether a log has grown so long that entries must be merged.
local function isOverlong(g, size)
  if size <= 28 * largestUsualQuota then return false end
  local most = largestUsualQuota
  for l = 4, #g, 2 do most = max(most, g[l]) end
  return size > 28 * most
end

local records, lengths = {}, {}

-- The new value of a partition of several logs, and its expiry. Returns nothing if the request is not admitted, or if
-- the partition contains anything else.
local function chargeLogs(raw, set, needs, now)
  local size, found, at = raw and #raw or 1, 0, 2
  for n = 1, #set do lengths[set[n][1]] = 0 end
  if raw and byte(raw, 1) ~= 1 then return nil end
  while at <= size do
    if at + 14 > size then return nil end
    local tag, _, length, from = unpackFrom('<I5I6I4', raw, at)
    if length < 28 or length % 14 ~= 0 then return nil end
    records[tag], lengths[tag] = from, length
    found, at = found + 1, from + length
  end
  if at ~= size + 1 then return nil end

  -- Logs of one unit are kept equally long.
  local latest, kept = 0, {}
  for n = 1, #set do
    local unit = floor(set[n][1] / 16777216)
    local stored = lengths[set[n][1]] > 0 and unpackFrom('<I6', raw, records[set[n][1]]) or 0
    kept[unit] = max(kept[unit] or 0, stored, set[n][3])
    latest = max(latest, min(now + kept[unit], latestBlank))
  end
  local parts = { char(1) }
  for n = 1, #set do
    local g = set[n]
    local tag, length = g[1], lengths[g[1]]
    -- A missing log starts from the counts of other states.
    if raw and length == 0 or isOverlong(g, length) then return nil end
    found = found - 1
    local from, upto, base, widest, _, total, replaces = chargeLog(raw, records[tag] or 0, length, g[2], g[3], g, 4, #g, q[needs + n], now)
    if not from then return nil end
    if replaces then upto = upto - 14 end
    local blankAt = min(now + kept[floor(tag / 16777216)], latestBlank)
    parts[3 * n - 1] = pack('<I5I6I4I6d', tag, blankAt, upto - from + 29, widest, base)
    parts[3 * n] = length > 0 and sub(raw, from, upto) or ''
    parts[3 * n + 1] = pack('<I6d', now, total)
  end
  if found > 0 then return nil end
  return concat(parts), latest
end

local function abandon()
  for n = o + 1, answered do out[n] = nil end
  return false
end

-- Returns whether the request was decided here. It then was admitted.
local function admitPlain(first, charges, k, now, testClock)
  local i, place, grownPlace = first, count + 1, grownCount + 1
  answered = o + 1
  out[answered] = 1
  for c = k, k + charges - 1 do
    local set, key = sets[q[i]], keys[c]
    if partitions[key] or corrupt[key] then return abandon() end
    for earlier = k, c - 1 do
      if keys[earlier] == key then return abandon() end
    end
    local raw = held[key]
    local value, endsAt
    if #set > 1 then
      value, endsAt = chargeLogs(raw, set, i, now)
      if not value then return abandon() end
    else
      local g = set[1]
      local entry, offset
      if raw and isOverlong(g, #raw) then return abandon() end
      value, endsAt, entry, offset = chargeOnly(raw, g[1], g[2], g[3], g, 4, #g, q[i + 1], now, anew[key])
      if value == nil then return abandon() end
      if entry then
        grown[grownPlace], grown[grownPlace + 1], grown[grownPlace + 2] = key, entry, offset
        grownPlace = grownPlace + 3
      end
    end
    if value then
      changed[place], changed[place + 1] = key, value
      ends[place], ends[place + 1] = testClock, testClock and endsAt - now or endsAt
      place = place + 2
    end
    i = i + 1 + 2 * #set
  end
  if repeated then
    for done = grownCount + 1, grownPlace - 1, 3 do
      local key, offset = grown[done], grown[done + 2]
      held[key] = (offset and sub(held[key], 1, offset) or held[key]) .. grown[done + 1]
    end
    for done = count + 1, place - 1, 2 do
      local key = changed[done]
      held[key], anew[key] = changed[done + 1], true
    end
  end
  o, count, grownCount = answered, place - 1, grownPlace - 1
  return true
end
`;

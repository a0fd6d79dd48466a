/**
 * Most requests charge sliding windows alone, one log a partition, and are admitted. They are decided here from the packed
 * logs, one charge after another, without setting anything up; whatever is not as plain is left to `requests.ts`, as if
 * nothing had been tried.
 *
 * Mostly a log only grows at its end, which the server does for less than half of what it takes to store it and its end anew.
 */
export const plain = /* lua */ `
-- Beyond so many bytes a log that is charged again and again at one moment is cheaper in a table.
local longest = 1000

-- Of a log whose oldest entry is not after this moment and whose newest is: the running total up to then, and the
-- stamp of the first entry after it, and where that begins.
local function since(log, size, after)
  local low, high = 1, (size - 26) / 14
  while high - low > 1 do
    local middle = floor((low + high) / 2)
    if unpackFrom('<I6', log, 13 + 14 * middle) > after then high = middle else low = middle end
  end
  local before, stamp = unpackFrom('<dI6', log, 19 + 14 * low)
  return before, stamp, 27 + 14 * low
end

-- Whether every charge is to one log, and spends what it needs.
local function isPlain(first, charges)
  local i = first
  for _ = 1, charges do
    local set = sets[q[i]]
    if #set ~= 1 or set[1][2] ~= 1 or q[i + 1] <= 0 or q[i + 1] ~= q[i + 2] then return false end
    i = i + 3
  end
  return true
end

-- Whether a log has grown so long that entries must be merged.
local function isOverlong(g, size)
  local most = largestUsualQuota
  for l = 4, #g, 2 do most = max(most, g[l]) end
  return size > 28 * most
end

local function abandon(answered)
  for n = o + 1, answered do out[n] = nil end
  return false
end

-- Whether it could be decided here, which is whether it is admitted.
local function admitPlain(first, charges, k, now, testClock)
  local i, n, place, grownPlace = first, o + 1, count + 1, grownCount + 1
  out[n] = 1
  for c = k, k + charges - 1 do
    local g, need, key = sets[q[i]][1], q[i + 1], keys[c]
    i = i + 3
    if partitions[key] or corrupt[key] then return abandon(n) end
    for earlier = k, c - 1 do
      if keys[earlier] == key then return abandon(n) end
    end
    local log = held[key]
    local widest, base, oldest, newest, total, size, from = g[3], 0, now, 0, 0, 0, 27
    local endsAt, kept = 0, 0
    if log then
      size = #log
      if size < 40 or (size - 26) % 14 ~= 0 then return abandon(n) end
      local format, tag
      format, tag, endsAt, kept, base, oldest, total = unpackFrom('<BI5I6I6dI6d', log)
      newest = oldest
      if size > 40 then newest, total = unpackFrom('<I6d', log, size - 13) end
      if format ~= 2 or tag ~= g[1] or newest > now then return abandon(n) end
      if newest == now and size > longest then return abandon(n) end
      if size > 28 * largestUsualQuota and isOverlong(g, size) then return abandon(n) end
      if kept > widest then widest = kept end
      if newest <= now - widest then
        base, oldest, total, size = 0, now, 0, 0
      elseif oldest <= now - widest then
        base, oldest, from = since(log, size, now - widest)
      end
    end

    total = total + need
    for l = 4, #g, 2 do
      local quota, after = g[l], now - g[l + 1]
      local spent, start = total - base, oldest
      if start <= after then
        if newest <= after then
          spent, start = need, now
        else
          spent, start = since(log, size, after)
          spent = total - spent
        end
      end
      if spent > quota then return abandon(n) end
      out[n + 1], out[n + 2] = quota - spent, start - after
      n = n + 2
    end

    local latest, entry = min(now + widest, latestBlank), pack('<I6d', now, total)
    if size > 0 and newest < now and latest <= endsAt and kept == widest
      and 2 * from <= size + 27 and not anew[key] then
      grown[grownPlace], grown[grownPlace + 1] = key, entry
      grownPlace = grownPlace + 2
    else
      endsAt = endOf(latest, widest)
      local before = log and sub(log, from, newest == now and size - 14 or size) or ''
      local value = pack('<BI5I6I6d', 2, g[1], endsAt, widest, base) .. before .. entry
      changed[place], changed[place + 1] = key, value
      ends[place], ends[place + 1] = testClock, testClock and endsAt - now or endsAt
      place = place + 2
    end
  end
  if repeated then
    for done = grownCount + 1, grownPlace - 1, 2 do
      local key = grown[done]
      held[key] = held[key] .. grown[done + 1]
    end
    for done = count + 1, place - 1, 2 do
      local key = changed[done]
      held[key], anew[key] = changed[done + 1], true
    end
  end
  o, count, grownCount = n, place - 1, grownPlace - 1
  return true
end
`;

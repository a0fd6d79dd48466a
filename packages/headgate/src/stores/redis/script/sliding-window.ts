import { bucketsAWindow } from "../../../core/algorithms/coarse-log.ts";

/**
 * `core/algorithms/sliding-window.ts` on a packed log: `I6` the widest window that it is kept for, `d` the running
 * total before its first entry, then for each entry `I6` stamp and `d` running total. A limit is passed as the widest
 * window, then quota and window of each.
 *
 * All entries have the same length, so that a search unpacks only the entries that it visits, and an admission appends
 * to the existing text. Usually only the oldest and the newest entry are read. The first `kept` entries are as stored.
 * The last one is in `newest` and `total`. `changed` has those in between, two numbers for each entry; usually none.
 *
 * It is also `core/algorithms/coarse-log.ts` if the limits say so: an entry then is for a bucket instead of a
 * millisecond.
 */
export const slidingWindow = /* lua */ `
local function logOf(raw, tag, blankAt, at, widest, base, total, count, oldest, newest)
  return {
    tag, blankAt, at, at + 28 + 14 * count, false, raw, widest, base, total,
    1, count, count, oldest, newest, false,
  }
end

local function slidingWindow()
  local function bucketOf(g, stamp)
    if g[2] == 1 then return stamp end
    return floor(stamp / ceil(g[3] / ${bucketsAWindow}))
  end

  local function load(raw, from, length)
    local count = (length - 14) / 14
    if count < 0 or count % 1 ~= 0 then return nil end
    if count == 0 then
      return logOf(raw, 0, 0, from - 15, (unpackFrom('<I6', raw, from)), 0, 0, 0, 0, 0)
    end
    local widest, base, oldest = unpackFrom('<I6dI6', raw, from)
    local newest, total = unpackFrom('<I6d', raw, from + 14 * count)
    return logOf(raw, 0, 0, from - 15, widest, base, total, count, oldest, newest)
  end

  local function blank()
    return logOf(false, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  end

  local function stampAt(s, i)
    if i == s.count then return s.newest end
    if i > s.kept then return s.changed[2 * i - 1] end
    return (unpackFrom('<I6', s.raw, s.at + 15 + 14 * i))
  end

  -- The running total up to and including entry i. The total before the first entry is the base.
  local function totalAt(s, i)
    if i < s.first then return s.base end
    if i == s.count then return s.total end
    if i > s.kept then return s.changed[2 * i] end
    return (unpackFrom('<d', s.raw, s.at + 21 + 14 * i))
  end

  local function firstAfter(s, after)
    local low, high = s.first, s.count
    if high < low or s.oldest > after then return low end
    if s.newest <= after then return high + 1 end
    while high - low > 1 do
      local middle = floor((low + high) / 2)
      if stampAt(s, middle) > after then high = middle else low = middle end
    end
    return high
  end

  local function wait(s, g, l, now, need)
    if need > g[l] then return -1 end
    local units = s.total - g[l] + need
    if s.base >= units then return 0 end
    -- Finds the newest entry before which fewer units were spent. Every entry has at least one unit, and usually
    -- exactly one.
    local low, high = s.first, s.first + units - s.base - 1
    if high > s.count then high = s.count end
    if totalAt(s, high - 1) < units then
      low = high
    else
      while high - low > 1 do
        local middle = floor((low + high) / 2)
        if totalAt(s, middle - 1) < units then low = middle else high = middle end
      end
    end
    local ms = (low == s.first and s.oldest or stampAt(s, low)) + g[l + 1] - now
    if ms < 0 then return 0 end
    return ms
  end

  local function read(s, g, l, now)
    local quota, window = g[l], g[l + 1]
    local first, oldest, spent = s.first, s.oldest, s.total - s.base
    if first > s.count then return quota, 0 end
    if oldest <= now - window then
      first = firstAfter(s, now - window)
      if first > s.count then return quota, 0 end
      oldest, spent = stampAt(s, first), s.total - totalAt(s, first - 1)
    end
    if spent <= quota then return quota - spent, oldest + window - now end
    -- In debt: no unit is free until the debt itself has left the window.
    return 0, wait(s, g, l, now, 1)
  end

  local function prune(s, after)
    local first = firstAfter(s, after)
    if first > s.count then
      s.base, s.total, s.first, s.count, s.kept, s.changed = 0, 0, 1, 0, 0, false
    else
      s.base, s.oldest, s.first = totalAt(s, first - 1), stampAt(s, first), first
    end
  end

  -- When there are twice as many entries as any limit needs, merges pairs in the older half: each entry joins the next,
  -- so its units leave a little later.
  local function merge(s, g)
    local most = largestUsualQuota
    for l = 4, #g, 2 do most = max(most, g[l]) end
    local first, count = s.first, s.count
    local older = count - first + 1 - most
    if older < most then return end
    local changed, n, i = {}, 0, first
    if older % 2 == 1 then older = older - 1 end
    while i <= count do
      if i - first < older then i = i + 1 end
      n = n + 1
      changed[2 * n - 1], changed[2 * n] = stampAt(s, i), totalAt(s, i)
      i = i + 1
    end
    s.changed, s.first, s.count, s.kept, s.oldest = changed, 1, n, 0, changed[1]
  end

  -- The mark is how far the entry's stamp is ahead of the decision: 0, unless the clock was set back.
  local function charge(s, g, now, amount)
    if g[3] > s.widest then s.widest = g[3] end
    if s.count >= s.first and s.oldest <= now - s.widest then prune(s, now - s.widest) end
    if s.count - s.first >= 2 * largestUsualQuota then merge(s, g) end
    local count, total = s.count, s.total
    s.total = total + amount
    if count < s.first then
      s.oldest = now
    elseif s.newest >= now then
      if s.kept == count then s.kept = count - 1 end
      return s.newest - now
    elseif bucketOf(g, s.newest) == bucketOf(g, now) then
      if s.kept == count then s.kept = count - 1 end
      if s.first == count then s.oldest = now end
      s.newest = now
      return 0
    elseif s.kept < count then
      if not s.changed then s.changed = {} end
      s.changed[2 * count - 1], s.changed[2 * count] = s.newest, total
    end
    s.count, s.newest = count + 1, now
    return 0
  end

  local function refund(s, g, now, amount, chargedAt, mark)
    local stamp = chargedAt + mark
    local i = firstAfter(s, stamp - 1)
    if i > s.count or bucketOf(g, stampAt(s, i)) ~= bucketOf(g, stamp) then return end
    local weight = totalAt(s, i) - totalAt(s, i - 1)
    local given = min(amount, weight)
    local shift = given == weight and 1 or 0
    local changed, count = s.changed or {}, s.count - shift
    for j = i, count do
      changed[2 * j - 1], changed[2 * j] = stampAt(s, j + shift), totalAt(s, j + shift) - given
    end
    if count < i and count >= s.first then s.newest = stampAt(s, count) end
    s.changed, s.count, s.total = changed, count, s.total - given
    if s.kept >= i then s.kept = i - 1 end
    if count >= s.first then s.oldest = stampAt(s, s.first) end
  end

  local function blankAt(s)
    return s.count < s.first and 0 or min(s.newest + s.widest, latestBlank)
  end

  local function save(s, keptTo)
    local first, count, kept = s.first, s.count, s.kept
    local blankAt = max(blankAt(s), keptTo)
    if blankAt == 0 then return 0 end
    if count < first then return blankAt, pack('<I5I6I4I6d', s.tag, blankAt, 14, s.widest, 0) end
    local length = 14 * (count - first + 2)
    if kept < first and first == count then
      return blankAt, pack('<I5I6I4I6dI6d', s.tag, blankAt, length, s.widest, s.base, s.newest, s.total), '', ''
    end
    local head, entries = pack('<I5I6I4I6d', s.tag, blankAt, length, s.widest, s.base), ''
    if kept >= first then
      entries = sub(s.raw, s.at + 15 + 14 * first, s.at + 28 + 14 * kept)
      if kept == count then return blankAt, head, entries, '' end
      first = kept + 1
    end
    if first == count then return blankAt, head, entries, pack('<I6d', s.newest, s.total) end
    local parts, changed = {}, s.changed
    for i = first, count - 1 do parts[#parts + 1] = pack('<I6d', changed[2 * i - 1], changed[2 * i]) end
    parts[#parts + 1] = pack('<I6d', s.newest, s.total)
    return blankAt, head, entries, concat(parts)
  end

  return {
    load = load, blank = blank, wait = wait, read = read,
    charge = charge, refund = refund, save = save, blankAt = blankAt,
    along = function(s, now, amount)
      local kind = s.tag % 8
      return charge(s, { s.tag, kind, kind == 6 and s.widest or 0 }, now, amount)
    end,
    -- A wider window may have reported a wait: keep the log as long as that window.
    adapt = function(s, g)
      if s.count < s.first or g[3] <= s.widest then return false end
      s.widest = g[3]
      return true
    end,
    reach = function(g, now) return now - g[3] end,
    spentAfter = function(s, now, after)
      if s.tag % 8 == 6 then after = max(after, now - s.widest) end
      return s.total - totalAt(s, firstAfter(s, after) - 1)
    end,
  }
end
`;

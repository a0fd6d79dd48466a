/**
 * `core/algorithms/sliding-window.ts` on a packed log: `I6` the widest window that it is kept for, `d` the running
 * total before its first entry, then for each entry `I6` stamp and `d` running total. Limits come as the widest
 * window, then quota and window of each.
 *
 * Entries are of one width, so that a search unpacks the few that it looks at, and an admission appends to the text
 * that is there. Mostly the oldest and the newest entry are all that has to be looked at. `e` holds what was unpacked
 * or changed, two numbers an entry; the first `kept` entries are as stored.
 */
export const slidingWindow = /* lua */ `
local function slidingWindow()
  local function load(raw, from, length)
    local count = (length - 14) / 14
    if count < 1 or count % 1 ~= 0 then return nil end
    local widest, base, oldest = unpackFrom('<I6dI6', raw, from)
    local newest, total = unpackFrom('<I6d', raw, from + 14 * count)
    return {
      tag = 0, blankAt = 0, at = 0, upto = 0, group = false, raw = raw, widest = widest, base = base, total = total,
      first = 1, count = count, kept = count, oldest = oldest, newest = newest, e = {},
    }
  end

  local function blank()
    return {
      tag = 0, blankAt = 0, at = 0, upto = 0, group = false, raw = false, widest = 0, base = 0, total = 0,
      first = 1, count = 0, kept = 0, oldest = 0, newest = 0, e = {},
    }
  end

  local function unpackEntry(s, i)
    local stamp, total = unpackFrom('<I6d', s.raw, s.at + 15 + 14 * i)
    s.e[2 * i - 1], s.e[2 * i] = stamp, total
    return stamp
  end

  local function stampAt(s, i)
    return s.e[2 * i - 1] or unpackEntry(s, i)
  end

  -- The running total up to and including entry i; that of the entry before the first is the base.
  local function totalAt(s, i)
    if i < s.first then return s.base end
    if i == s.count then return s.total end
    if not s.e[2 * i] then unpackEntry(s, i) end
    return s.e[2 * i]
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
    -- The newest entry before which fewer units were spent. Every entry holds at least one, and mostly just one.
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
    -- In debt: nothing is free before the debt itself has left the window.
    return 0, wait(s, g, l, now, 1)
  end

  local function prune(s, after)
    local first = firstAfter(s, after)
    if first > s.count then
      s.base, s.total, s.first, s.count, s.kept, s.e = 0, 0, 1, 0, 0, {}
    else
      s.base, s.oldest, s.first = totalAt(s, first - 1), stampAt(s, first), first
    end
  end

  -- The mark is how far the entry's stamp is ahead of the decision: not at all, unless the clock was set back.
  local function charge(s, g, now, amount)
    if g[3] > s.widest then s.widest = g[3] end
    if s.count >= s.first then
      if s.oldest <= now - s.widest then prune(s, now - s.widest) end
    end
    local count, e = s.count, s.e
    local total = s.total + amount
    s.total = total
    if count >= s.first and s.newest >= now then
      e[2 * count - 1], e[2 * count] = s.newest, total
      if s.kept >= count then s.kept = count - 1 end
      return s.newest - now
    end
    count = count + 1
    if count == s.first then s.oldest = now end
    s.count, s.newest, e[2 * count - 1], e[2 * count] = count, now, now, total
    return 0
  end

  local function refund(s, g, now, amount, chargedAt, mark)
    local stamp = chargedAt + mark
    local i = firstAfter(s, stamp - 1)
    if i > s.count or stampAt(s, i) ~= stamp then return end
    local weight = totalAt(s, i) - totalAt(s, i - 1)
    local given = min(amount, weight)
    local shift = given == weight and 1 or 0
    for j = i, s.count - shift do
      s.e[2 * j], s.e[2 * j - 1] = totalAt(s, j + shift) - given, stampAt(s, j + shift)
    end
    s.count, s.total = s.count - shift, s.total - given
    if s.kept >= i then s.kept = i - 1 end
    if s.count >= s.first then s.oldest, s.newest = stampAt(s, s.first), stampAt(s, s.count) end
  end

  local function save(s)
    local first, count, kept, e = s.first, s.count, s.kept, s.e
    if count < first then return 0 end
    local blankAt = min(s.newest + s.widest, latestBlank)
    local length = 14 * (count - first + 2)
    if kept < first and first == count then
      return blankAt, pack('<I5I6I4I6dI6d', s.tag, blankAt, length, s.widest, s.base, s.newest, s.total)
    end
    local text = pack('<I5I6I4I6d', s.tag, blankAt, length, s.widest, s.base)
    if kept >= first then
      text = text .. sub(s.raw, s.at + 15 + 14 * first, s.at + 28 + 14 * kept)
      first = kept + 1
    end
    if first == count then return blankAt, text .. pack('<I6d', s.newest, s.total) end
    local parts = { text }
    for i = first, count do parts[#parts + 1] = pack('<I6d', e[2 * i - 1], e[2 * i]) end
    return blankAt, concat(parts)
  end

  return {
    load = load, blank = blank, wait = wait, read = read,
    charge = charge, refund = refund, save = save,
  }
end
`;

/**
 * `core/algorithms/token-bucket.ts` on `I6` stamp, `d` level, `I6` the time since which it was not empty, `d` ticks per unit,
 * `d` ticks per millisecond and `d` units given back since then. A limit is passed as quota, both tick rates and capacity.
 */
export const tokenBucket = /* lua */ `
local function tokenBucket()
  local function load(raw, from, length)
    if length ~= 44 then return nil end
    local stamp, level, since, perUnit, perMs, given = unpackFrom('<I6dI6ddd', raw, from)
    return { stamp = stamp, level = level, since = since, perUnit = perUnit, perMs = perMs, given = given }
  end

  -- The level now, in ticks of the state's own scale.
  local function drained(s, now)
    local elapsed = now - s.stamp
    if elapsed <= 0 then return s.level end
    return max(0, s.level - elapsed * s.perMs)
  end

  local function isOfScale(s, g)
    return s.perUnit == g[4] and s.perMs == g[5]
  end

  local function isFaster(s, g)
    return not isOfScale(s, g) and g[5] / g[4] > s.perMs / s.perUnit
  end

  local function convertedLevel(s, g)
    local units = s.level / s.perUnit
    local slower, ms = s.perMs / s.perUnit - g[5] / g[4], s.stamp - s.since
    if slower > 0 and ms > 0 then units = max(units, min(g[6] / g[4], units + slower * ms)) end
    return ceil(units * g[4])
  end

  local function levelAt(s, g, now)
    local full = drained(s, now)
    if full == 0 or isOfScale(s, g) then return full end
    return max(0, convertedLevel(s, g) - max(0, now - s.stamp) * g[5])
  end

  local function drainMs(ticks, perMs)
    if ticks <= 0 then return 0 end
    return ceil(ticks / perMs)
  end

  local function wait(s, g, l, now, need)
    if need > g[3] then return -1 end
    local ms = drainMs(levelAt(s, g, now) + need * g[4] - g[6], g[5])
    -- If the clock was set back, the bucket does not drain until the clock has caught up.
    if ms > 0 and s.stamp > now then return ms + s.stamp - now end
    return ms
  end

  local function read(s, g, l, now)
    local level = levelAt(s, g, now)
    if level == 0 then return g[3], 0 end
    local left = max(0, floor((g[6] - level) / g[4]))
    return left, drainMs(level + (left + 1) * g[4] - g[6], g[5]) + max(0, s.stamp - now)
  end

  local function charge(s, g, now, amount)
    local before = levelAt(s, g, now)
    if before == 0 then s.since, s.given = now, 0 elseif isFaster(s, g) then s.since = s.stamp end
    s.stamp, s.level = max(s.stamp, now), before + amount * g[4]
    s.perUnit, s.perMs = g[4], g[5]
    return before + s.given * g[4]
  end

  local function along(s, now, amount)
    local before = drained(s, now)
    if before == 0 then s.since, s.given = now, 0 end
    s.stamp, s.level = max(s.stamp, now), before + amount * s.perUnit
    return before + s.given * s.perUnit
  end

  local function adapt(s, g, now)
    if isOfScale(s, g) or drained(s, now) == 0 then return false end
    local level = convertedLevel(s, g)
    if isFaster(s, g) then s.since = s.stamp end
    s.level, s.perUnit, s.perMs = level, g[4], g[5]
    return true
  end

  local function adopt(s, g, now, other)
    local level = levelAt(other, g, now)
    if level <= s.level then return end
    s.since = isFaster(other, g) and other.stamp or other.since
    s.stamp, s.level, s.perUnit, s.perMs = max(other.stamp, now), level, g[4], g[5]
    s.given = other.given
  end

  local function spentAfter(s, now, after)
    local level = drained(s, now)
    if level == 0 then return 0 end
    return ceil(level / s.perUnit + s.perMs / s.perUnit * max(0, min(now - after, now - s.since)))
  end

  local function refund(s, g, now, amount, chargedAt, mark)
    if s.perUnit == 0 or (chargedAt < s.since and s.since <= now) then return end
    if s.perUnit ~= g[4] then mark = floor(mark / g[4] * s.perUnit) end
    local lost = max(0, (now - chargedAt) * s.perMs - max(0, mark - s.given * s.perUnit))
    s.level = max(0, drained(s, now) - max(0, amount * s.perUnit - lost))
    s.stamp, s.given = max(s.stamp, now), s.given + amount
  end

  local function blankAt(s)
    if s.level == 0 then return 0 end
    return min(s.stamp + drainMs(s.level, s.perMs), latestBlank)
  end

  local function save(s, keptTo)
    local endsAt = max(blankAt(s), keptTo)
    if endsAt == 0 then return 0 end
    return endsAt, pack('<I5I6I4I6dI6ddd', s.tag, endsAt, 44, s.stamp, s.level, s.since, s.perUnit, s.perMs, s.given)
  end

  return {
    load = load, wait = wait, read = read, charge = charge, refund = refund, save = save, blankAt = blankAt,
    along = along, adapt = adapt, adopt = adopt, spentAfter = spentAfter,
    reach = function(g, now) return now - g[6] / g[5] end,
    blank = function() return { stamp = 0, level = 0, since = 0, perUnit = 0, perMs = 0, given = 0 } end,
  }
end
`;

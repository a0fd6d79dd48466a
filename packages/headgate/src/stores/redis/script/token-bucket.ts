/**
 * `core/algorithms/token-bucket.ts` on `I6` stamp and `d` level. A limit comes as quota, ticks a unit, ticks a
 * millisecond and capacity.
 */
export const tokenBucket = /* lua */ `
local function tokenBucket()
  local function load(raw, from, length)
    if length ~= 14 then return nil end
    local stamp, level = unpackFrom('<I6d', raw, from)
    return { stamp = stamp, level = level }
  end

  local function levelAt(s, g, now)
    local elapsed = now - s.stamp
    if elapsed <= 0 then return s.level end
    return max(0, s.level - elapsed * g[5])
  end

  local function drainMs(ticks, g)
    if ticks <= 0 then return 0 end
    return ceil(ticks / g[5])
  end

  local function wait(s, g, l, now, need)
    if need > g[3] then return -1 end
    local ms = drainMs(levelAt(s, g, now) + need * g[4] - g[6], g)
    -- After the clock was set back nothing drains until it has caught up.
    if ms > 0 and s.stamp > now then return ms + s.stamp - now end
    return ms
  end

  local function read(s, g, l, now)
    local level = levelAt(s, g, now)
    if level == 0 then return g[3], 0 end
    local left = max(0, floor((g[6] - level) / g[4]))
    return left, drainMs(level + (left + 1) * g[4] - g[6], g) + max(0, s.stamp - now)
  end

  local function charge(s, g, now, amount)
    local before = levelAt(s, g, now)
    s.stamp, s.level = max(s.stamp, now), before + amount * g[4]
    return before
  end

  local function refund(s, g, now, amount, chargedAt, mark)
    local lost = max(0, (now - chargedAt) * g[5] - mark)
    local given = max(0, amount * g[4] - lost)
    local level = levelAt(s, g, now)
    s.stamp, s.level = max(s.stamp, now), max(0, level - given)
  end

  local function save(s, g)
    if s.level == 0 then return 0 end
    local blankAt = min(s.stamp + drainMs(s.level, g), latestBlank)
    return blankAt, pack('<I5I6I4I6d', s.tag, blankAt, 14, s.stamp, s.level)
  end

  return {
    load = load, wait = wait, read = read, charge = charge, refund = refund, save = save,
    blank = function() return { stamp = 0, level = 0 } end,
  }
end
`;

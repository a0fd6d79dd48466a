/**
 * `core/algorithms/sliding-counter.ts` in Lua. The state is packed as `I6` start, `d` current, `d` previous and `I6`
 * window. A limit is passed as its quota and window.
 */
export const slidingCounter = /* lua */ `
local function slidingCounter()
  local function load(raw, from, length)
    if length ~= 28 then return nil end
    local start, current, previous, window = unpackFrom('<I6ddI6', raw, from)
    return { start = start, current = current, previous = previous, window = window }
  end

  -- Start, current and previous at this moment.
  local function countsAt(s, window, now)
    local start = floor(now / window) * window
    if s.start >= start then return s.start, s.current, s.previous end
    if s.start + window == start then return start, 0, s.current end
    return start, 0, 0
  end

  local function freeOf(start, current, previous, quota, window, now)
    local left = max(0, window - (now - start))
    return floor(quota - current - previous * left / window)
  end

  local function wait(s, g, l, now, need)
    local quota, window = g[3], g[4]
    if need > quota then return -1 end
    local start, current, previous = countsAt(s, window, now)
    if freeOf(start, current, previous, quota, window, now) >= need then return 0 end
    -- If this step has room at all, the wait ends within it. Otherwise it ends in the next step, where the current
    -- count becomes the previous one.
    if current + need > quota then start, current, previous = start + window, 0, current end
    local low, high = start - 1, start + window
    while high - low > 1 do
      local middle = floor((low + high) / 2)
      if freeOf(start, current, previous, quota, window, middle) >= need then high = middle else low = middle end
    end
    return high - now
  end

  local function read(s, g, l, now)
    local start, current, previous = countsAt(s, g[4], now)
    local left = max(0, freeOf(start, current, previous, g[3], g[4], now))
    if left == g[3] then return left, 0 end
    return left, wait(s, g, l, now, left + 1)
  end

  local function charge(s, g, now, amount)
    local start, current, previous = countsAt(s, g[4], now)
    s.start, s.current, s.previous, s.window = start, current + amount, previous, g[4]
    return start
  end

  local function along(s, now, amount)
    local start, current, previous = countsAt(s, s.window, now)
    s.start, s.current, s.previous = start, current + amount, previous
    return start
  end

  local function spentAfter(s, now, after)
    local start, current, previous = countsAt(s, s.window, now)
    return after < start - 1 and current + previous or current
  end

  local function refund(s, g, now, amount, chargedAt, mark)
    if s.start == mark then
      s.current = max(0, s.current - amount)
    elseif s.start - g[4] == mark then
      s.previous = max(0, s.previous - amount)
    end
  end

  local function blankAt(s)
    if s.current > 0 then return s.start + 2 * s.window end
    return s.previous > 0 and s.start + s.window or 0
  end

  local function save(s, keptTo)
    local endsAt = max(blankAt(s), keptTo)
    if endsAt == 0 then return 0 end
    return endsAt, pack('<I5I6I4I6ddI6', s.tag, endsAt, 28, s.start, s.current, s.previous, s.window)
  end

  return {
    load = load, wait = wait, read = read, charge = charge, refund = refund, save = save, blankAt = blankAt,
    along = along, spentAfter = spentAfter,
    reach = function(g, now) return (floor(now / g[4]) - 1) * g[4] - 1 end,
    blank = function() return { start = 0, current = 0, previous = 0, window = 0 } end,
  }
end
`;

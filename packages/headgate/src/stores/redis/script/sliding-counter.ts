/** `core/algorithms/sliding-counter.ts` on `I6` start, `d` current and `d` previous. A limit comes as quota and window. */
export const slidingCounter = /* lua */ `
local function slidingCounter()
  local function load(raw, from, length)
    if length ~= 22 then return nil end
    local start, current, previous = unpackFrom('<I6dd', raw, from)
    return { start = start, current = current, previous = previous }
  end

  -- Start, current and previous as they stand at this moment.
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
    -- Within this step, if what was spent in it leaves room at all; else in the next, where it becomes the previous.
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
    s.start, s.current, s.previous = start, current + amount, previous
    return start
  end

  local function refund(s, g, now, amount, chargedAt, mark)
    if s.start == mark then
      s.current = max(0, s.current - amount)
    elseif s.start - g[4] == mark then
      s.previous = max(0, s.previous - amount)
    end
  end

  local function save(s, g)
    local blankAt = 0
    if s.current > 0 then
      blankAt = s.start + 2 * g[4]
    elseif s.previous > 0 then
      blankAt = s.start + g[4]
    end
    return blankAt, pack('<I5I6I4I6dd', s.tag, blankAt, 22, s.start, s.current, s.previous)
  end

  return {
    load = load, wait = wait, read = read, charge = charge, refund = refund, save = save,
    blank = function() return { start = 0, current = 0, previous = 0 } end,
  }
end
`;

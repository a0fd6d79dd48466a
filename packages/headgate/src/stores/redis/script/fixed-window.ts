/**
 * `core/algorithms/fixed-window.ts` on `I6` start, `I6` end and `d` count. A limit is passed as its quota and one of: 0
 * and the window's length (fixed steps), 1 and the length (windows that begin at their first use), or 2 and five edges
 * of calendar windows.
 */
export const fixedWindow = /* lua */ `
local function fixedWindow()
  local function load(raw, from, length)
    if length ~= 20 then return nil end
    local start, finish, spent = unpackFrom('<I6I6d', raw, from)
    return { start = start, finish = finish, spent = spent }
  end

  local function spentAt(s, now)
    if now < s.finish then return s.spent end
    return 0
  end

  -- Returns nothing if the call's calendar edges do not include this server's time.
  local function windowAround(g, now)
    if g[4] == 0 then
      local start = floor(now / g[5]) * g[5]
      return start, start + g[5]
    end
    if g[4] == 1 then return now, now + g[5] end
    if now < g[5] then return nil end
    for edge = 6, 9 do
      if now < g[edge] then return g[edge - 1], g[edge] end
    end
  end

  local function wait(s, g, l, now, need)
    if need > g[3] then return -1 end
    if spentAt(s, now) + need <= g[3] then return 0 end
    return s.finish - now
  end

  local function read(s, g, l, now)
    local spent = spentAt(s, now)
    if spent == 0 then return g[3], 0 end
    return max(0, g[3] - spent), s.finish - now
  end

  local function charge(s, g, now, amount)
    local spent = spentAt(s, now)
    if spent == 0 then s.start, s.finish = windowAround(g, now) end
    s.spent = spent + amount
    return s.start
  end

  local function blankAt(s)
    return s.spent == 0 and 0 or s.finish
  end

  return {
    load = load, wait = wait, read = read, charge = charge, blankAt = blankAt,
    canCharge = function(s, g, now) return spentAt(s, now) > 0 or windowAround(g, now) ~= nil end,
    refund = function(s, g, now, amount, chargedAt, mark)
      if s.start == mark then s.spent = max(0, s.spent - amount) end
    end,
    -- Other limits charge this state as long as its window lasts.
    along = function(s, now, amount)
      s.spent = s.spent + amount
      return s.start
    end,
    reach = function(g, now)
      if g[4] == 1 then return now - g[5] end
      return (windowAround(g, now) or now) - 1
    end,
    spentAfter = function(s, now) return spentAt(s, now) end,
    blank = function() return { start = 0, finish = 0, spent = 0 } end,
    save = function(s, keptTo)
      local endsAt = max(blankAt(s), keptTo)
      if endsAt == 0 then return 0 end
      return endsAt, pack('<I5I6I4I6I6d', s.tag, endsAt, 20, s.start, s.finish, s.spent)
    end,
  }
end
`;

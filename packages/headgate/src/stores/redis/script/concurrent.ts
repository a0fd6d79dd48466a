/**
 * `core/algorithms/concurrent.ts` on `d` next id, `d` weight of all leases, `I6` the earliest and `I6` the latest
 * expiry, then for each lease `d` id, `d` weight and `I6` expiry. A limit comes as quota and window.
 *
 * While none of them has ended, weight and earliest expiry answer by themselves and the leases stay packed.
 * Ids begin with the clock, so that a handle which outlived its lease, and the whole state, never meets its id again.
 */
export const concurrent = /* lua */ `
local function concurrent()
  local function load(raw, from, length)
    if length < 28 or (length - 28) % 22 ~= 0 then return nil end
    local next, weight, earliest, latest = unpackFrom('<ddI6I6', raw, from)
    return {
      next = next, weight = weight, earliest = earliest, latest = latest,
      packed = sub(raw, from + 28, from + length - 1),
    }
  end

  local function open(s)
    if s.held then return s.held end
    local held, packed = {}, s.packed
    for at = 1, #packed, 22 do
      local id, weight, expiry = unpackFrom('<ddI6', packed, at)
      held[#held + 1] = { id, weight, expiry }
    end
    s.held = held
    return held
  end

  local function weigh(s)
    local weight, earliest = 0, 0
    for i, lease in ipairs(s.held) do
      weight = weight + lease[2]
      if i == 1 or lease[3] < earliest then earliest = lease[3] end
    end
    s.weight, s.earliest = weight, earliest
  end

  -- The weight of those that go on; the others are forgotten.
  local function weightAt(s, now)
    if s.weight == 0 or s.earliest > now then return s.weight end
    local live = {}
    for _, lease in ipairs(open(s)) do
      if lease[3] > now then live[#live + 1] = lease end
    end
    s.held = live
    weigh(s)
    return s.weight
  end

  local function wait(s, g, l, now, need)
    if need > g[3] then return -1 end
    local over = weightAt(s, now) + need - g[3]
    if over <= 0 then return 0 end
    if over == 1 then return s.earliest - now end
    local sorted = {}
    for i, lease in ipairs(open(s)) do sorted[i] = lease end
    table.sort(sorted, function(a, b) return a[3] < b[3] end)
    for _, lease in ipairs(sorted) do
      over = over - lease[2]
      if over <= 0 then return lease[3] - now end
    end
    return 0
  end

  local function read(s, g, l, now)
    local left = max(0, g[3] - weightAt(s, now))
    if left == g[3] then return left, 0 end
    return left, wait(s, g, l, now, left + 1)
  end

  local function charge(s, g, now, amount)
    local weight, expiry = weightAt(s, now), now + g[4]
    local id = max(s.next, now * 32)
    s.next, s.weight, s.latest = id + 1, weight + amount, max(s.latest, expiry)
    s.earliest = weight == 0 and expiry or min(s.earliest, expiry)
    if s.held then
      s.held[#s.held + 1] = { id, amount, expiry }
    else
      s.packed = s.packed .. pack('<ddI6', id, amount, expiry)
    end
    return id
  end

  local function find(s, id)
    for i, lease in ipairs(open(s)) do
      if lease[1] == id then return i, lease end
    end
  end

  local function refund(s, g, now, amount, chargedAt, mark)
    local i, lease = find(s, mark)
    if not i then return end
    if lease[2] > amount then lease[2] = lease[2] - amount else table.remove(s.held, i) end
    weigh(s)
  end

  local function renew(s, g, now, mark)
    local _, lease = find(s, mark)
    -- One that has ended is not brought back to life: its place may have been taken.
    if not lease or lease[3] <= now then return end
    lease[3] = max(lease[3], now + g[4])
    s.latest = max(s.latest, lease[3])
    weigh(s)
  end

  -- Blank never too early; later than the last expiry where that lease was given back before its time.
  local function save(s, keptTo)
    if s.weight == 0 then return 0 end
    local packed = s.packed
    if s.held then
      local parts = {}
      for i, lease in ipairs(s.held) do parts[i] = pack('<ddI6', lease[1], lease[2], lease[3]) end
      packed = concat(parts)
    end
    local length = 28 + #packed
    return s.latest, pack('<I5I6I4ddI6I6', s.tag, s.latest, length, s.next, s.weight, s.earliest, s.latest) .. packed
  end

  return {
    load = load, wait = wait, read = read, charge = charge, refund = refund, renew = renew, save = save,
    blank = function() return { next = 0, weight = 0, earliest = 0, latest = 0, packed = '' } end,
  }
end
`;

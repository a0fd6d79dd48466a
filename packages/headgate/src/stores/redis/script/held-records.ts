/**
 * Reads the header and the entries of a partition's holdings, in the form that `holdings.ts` describes and writes.
 */
export const heldRecords = /* lua */ `
-- How long a reservation without holds is remembered, ms.
local rememberedHoldMs = 60000
-- Keys with holds expire this much later than necessary, so that not every call has to move their expiry.
local slackMs = 60000

local function readHeader(h, raw)
  local size = #raw
  if size < 25 or (size - 25) % 12 ~= 0 or byte(raw, 1) ~= 1 then return false end
  local _
  _, h.earliest, h.endsAt, h.holding, h.count, h.tidyAt = unpackFrom('<BI6I6I4I4I4', raw)
  for from = 26, size, 12 do
    local unit, sum = unpackFrom('<I4d', raw, from)
    h.sums[unit] = sum
  end
  h.indexed, h.storedHolding = h.holding > 0, h.holding
  h.ordered = not h.indexed
  h.stored = true
  return true
end

local function newEntry(rid, now)
  return { rid = rid, seq = 0, ended = false, lapsed = false, expiresAt = now, used = {}, held = {}, last = {}, holds = 0 }
end

local function readEntry(rid, raw)
  local size = #raw
  if size < 15 then return nil end
  local flags, expiresAt, seq = unpackFrom('<BI6d', raw)
  if flags < 16 or flags > 19 then return nil end
  local e = newEntry(rid, expiresAt)
  e.seq, e.ended, e.lapsed = seq, flags % 2 == 1, flags >= 18
  local from = 16
  while from <= size do
    if from + 3 > size then return nil end
    local code = unpackFrom('<I4', raw, from)
    local kinds = code % 8
    local unit = (code - kinds) / 8
    from = from + 4
    local most = kinds % 2 * 8 + (kinds % 4 >= 2 and 8 or 0) + (kinds >= 4 and 15 or 0)
    if from - 1 + most > size then return nil end
    e.used[unit] = 0
    if kinds % 2 == 1 then
      e.used[unit] = unpackFrom('<d', raw, from)
      from = from + 8
    end
    if kinds % 4 >= 2 then
      e.held[unit] = unpackFrom('<d', raw, from)
      e.holds = e.holds + 1
      from = from + 8
    end
    if kinds >= 4 then
      local last = { marks = {} }
      local count
      last.at, last.amount, count = unpackFrom('<I6dB', raw, from)
      from = from + 15
      if from - 1 + 8 * count > size then return nil end
      for n = 1, count do last.marks[n] = unpackFrom('<d', raw, from + 8 * (n - 1)) end
      from = from + 8 * count
      e.last[unit] = last
    end
  end
  e.indexed = e.holds > 0
  return e
end
`;

import { bucketsAWindow, mostEntries } from "../../../core/algorithms/coarse-log.ts";

/**
 * Charges a sliding window, exact or coarse, in its packed form. Its limits are a part of a list of numbers: the quota
 * and the window of each.
 *
 * Most partitions consist of one log, and most charges append an entry or replace the last one. That costs the server
 * less than half as much as storing the whole log and its expiry again.
 */
export const logs = /* lua */ `
-- A log longer than this, in bytes, is cheaper in a table if it is charged repeatedly in one millisecond.
local longest = 1000
-- A coarse log of this length, in bytes, that is alone in its partition is full: its oldest entry must be removed
-- before another is added.
local longestCoarse = ${26 + 14 * mostEntries}

-- Searches a log whose first entry is at or before \`after\`, and whose last entry is later. Returns the running total
-- at that moment, the stamp of the first later entry, and the position of that entry.
local function since(raw, first, count, after)
  local low, high = 1, count
  while high - low > 1 do
    local middle = floor((low + high) / 2)
    if unpackFrom('<I6', raw, first - 14 + 14 * middle) > after then high = middle else low = middle end
  end
  local before, stamp = unpackFrom('<dI6', raw, first - 8 + 14 * low)
  return before, stamp, first + 14 * low
end

local answered

-- Charges the log that begins at \`at\` and is \`length\` bytes long; 0 for a blank one. Returns nil if its limits
-- refuse. Otherwise returns the first and the last position of the entries to keep, the total before them, how long
-- entries are kept now, how long they were kept before, the new total, and whether the new entry replaces the last one.
local function chargeLog(raw, at, length, kind, widest, list, limitsAt, limitsEnd, need, now)
  local first = at + 14
  local from, upto, count = first, first - 1, (length - 14) / 14
  local kept, base, oldest, newest, total, replaces = 0, 0, now, 0, 0, false
  if length > 0 then
    upto = at + length - 1
    kept, base, oldest = unpackFrom('<I6dI6', raw, at)
    newest, total = unpackFrom('<I6d', raw, upto - 13)
    if newest > now then return nil end
    replaces = newest == now
    if kind == 6 then
      local bucket = ceil(widest / ${bucketsAWindow})
      replaces = floor(newest / bucket) == floor(now / bucket)
    end
    if kept > widest then widest = kept end
    local after = now - widest
    if newest <= after then
      base, oldest, total, upto = 0, now, 0, from - 1
    elseif oldest <= after then
      base, oldest, from = since(raw, first, count, after)
    end
    if replaces and from == upto - 13 then oldest = now end
  end

  total = total + need
  for l = limitsAt, limitsEnd, 2 do
    local quota, after = list[l], now - list[l + 1]
    local spent, start = total - base, oldest
    if start <= after then
      if newest <= after then
        spent, start = need, now
      else
        spent, start = since(raw, first, count, after)
        spent = total - spent
      end
    end
    if spent > quota then return nil end
    out[answered + 1], out[answered + 2] = quota - spent, start - after
    answered = answered + 2
  end
  return from, upto, base, widest, kept, total, replaces
end

-- Charges a partition that consists of one log. Returns nil if the charge is refused, or if the partition is anything
-- else. Returns the new value and the expiry of its key; or false, the unchanged expiry, a new entry, and the position
-- at which the entry replaces the last one (false to append it).
local function chargeOnly(raw, tag, kind, widest, list, limitsAt, limitsEnd, need, now, whole)
  local size, endsAt = 12
  if raw then
    size = #raw
    if size < 40 or (size - 26) % 14 ~= 0 or byte(raw, 1) ~= 2 then return nil end
    local stored
    stored, endsAt = unpackFrom('<I5I6', raw, 2)
    if stored ~= tag then return nil end
  end
  local from, upto, base, widest, kept, total, replaces = chargeLog(raw, 13, size - 12, kind, widest, list, limitsAt, limitsEnd, need, now)
  if not from or replaces and size > longest and kind == 1 then return nil end
  local latest, entry = min(now + widest, latestBlank), pack('<I6d', now, total)
  if upto > from and (replaces or size < longestCoarse or kind == 1) and latest <= endsAt and kept == widest
    and 2 * from <= size + 27 and not whole then
    return false, endsAt, entry, replaces and size - 14
  end
  endsAt = endOf(latest, widest)
  return pack('<BI5I6I6d', 2, tag, endsAt, widest, base)
    .. (raw and sub(raw, from, replaces and upto - 14 or upto) or '') .. entry, endsAt
end
`;

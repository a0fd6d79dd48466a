import { bucketsAWindow, mostEntries } from "../../../core/algorithms/coarse-log.ts";

/**
 * Charges a sliding window, exact or coarse, in its packed form. Its limits are the numbers of a list from one place to
 * another: the quota and the window of each.
 *
 * Most partitions are one log, and most charges add an entry at its end or replace the last: that costs the server less than
 * half of storing the whole log and its expiry again.
 */
export const logs = /* lua */ `
-- A log longer than this, in bytes, is cheaper in a table if it is charged repeatedly in one millisecond.
local longest = 1000
-- A coarse log of this length, in bytes, in a partition to itself, is full: its oldest entry has to go before another is
-- added.
local longestCoarse = ${26 + 14 * mostEntries}

-- Takes a log whose first entry is at or before \`after\`, and whose last is later. Returns the running total at that moment, the
-- stamp of the first later entry, and where that entry begins.
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

-- Charges the log that begins at \`at\` and is \`length\` bytes long, 0 for a blank one. Returns nil if its limits refuse. Else
-- returns where the entries to keep begin and end, the total before them, how long entries are kept from now on and were kept
-- until now, the new total, and whether the new entry replaces the last.
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

-- Charges a partition that is one log. Returns nil if that is refused, or if the partition is anything else. Returns its new
-- value and when its key ends; or false, the key's unchanged end, a new entry, and where that replaces the last: false to append it.
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

/**
 * `core/holdings.ts`: the use and holds of one partition's reservations. They are stored in two keys, in the same slot
 * as the partition's own key:
 *
 * - A hash. The field with the empty name is the header: `B` 1, `I6` the earliest time at which a hold lapses, `I6` the
 * expiry of the keys, `I4` the number of reservations with holds, `I4` the number of known reservations, `I4` the
 * number at which expired ones are removed; then for each held unit `I4` unit and `d` sum. The field of each
 * reservation has its id as its name: `B` 16, plus 1 if it has ended and 2 if it has lapsed, `I6` expiry, `d` number of
 * the last call. Then follows for each unit `I4` eight times the unit, plus 1 if `d` used follows, plus 2 if `d` held
 * follows, and plus 4 if the last spending follows: `I6` time, `d` amount, `B` number of marks, and `d` each mark.
 * - A sorted set of the reservations with holds, by expiry. To find the next ones to lapse, the first few are read.
 *
 * Most calls read only the header and one reservation.
 */
export const holdings = /* lua */ `
local function holdings()
  local fewEntries, mostHolds = 64, 4096
  local byKey, all, allCount = {}, {}, 0

  local function packHeader(h)
    local parts = { pack('<BI6I6I4I4I4', 1, h.earliest, h.endsAt, h.holding, h.count, h.tidyAt) }
    for unit, sum in pairs(h.sums) do parts[#parts + 1] = pack('<I4d', unit, sum) end
    return concat(parts)
  end

  local function packEntry(e)
    local flags = 16 + (e.ended and 1 or 0) + (e.lapsed and 2 or 0)
    local packed = pack('<BI6d', flags, e.expiresAt, e.seq)
    for unit, used in pairs(e.used) do
      local held, last = e.held[unit], e.last[unit]
      local kinds = (used > 0 and 1 or 0) + (held and 2 or 0) + (last and 4 or 0)
      packed = packed .. pack('<I4', 8 * unit + kinds)
      if used > 0 then packed = packed .. pack('<d', used) end
      if held then packed = packed .. pack('<d', held) end
      if last then
        packed = packed .. pack('<I6dB', last.at, last.amount, #last.marks)
        for n = 1, #last.marks do packed = packed .. pack('<d', last.marks[n]) end
      end
    end
    return packed
  end

  local function add(k)
    local key = keys[k]
    local h = {
      key = key, index = keys[k + 1], entries = {}, sums = {}, holding = 0, count = 0, tidyAt = fewEntries,
      earliest = latestBlank, endsAt = 0, order = {}, ordered = true, first = 1, mine = {}, dirty = {}, gone = {}, forgotten = {},
    }
    byKey[key] = h
    allCount = allCount + 1
    all[allCount] = h
    return h
  end

  -- The holdings under a key, with the entry of one reservation.
  local function open(k, rid)
    local key = keys[k]
    local h = byKey[key]
    if not h then
      h = add(k)
      local found = redis.pcall('HMGET', key, '', rid)
      if found.err then
        h.corrupt = true
      elseif found[1] then
        h.corrupt = not readHeader(h, found[1])
        if rid ~= '' then
          local e = found[2] and readEntry(rid, found[2])
          h.corrupt = h.corrupt or found[2] and not e
          h.entries[rid] = e or false
        end
      end
    end
    if rid ~= '' and not h.stored and not h.checked and not h.corrupt then
      -- The partition has no header. If its keys exist, they belong to another program, or are left from a deletion.
      h.checked = true
      if redis.call('EXISTS', key, h.index) > 0 then
        h.left = redis.call('TYPE', h.index).ok == 'zset'
        h.corrupt = redis.call('EXISTS', key) > 0 or not h.left
      end
    end
    return h
  end

  local function entryOf(h, rid)
    local e = h.entries[rid]
    if e == nil then
      local raw = h.stored and redis.call('HGET', h.key, rid)
      e = raw and readEntry(rid, raw) or false
      if raw and not e then h.corrupt = true end
      h.entries[rid] = e
    end
    return e
  end

  -- The entry of a reservation, unless it has expired. An expired entry counts as missing even before it is removed.
  local function find(h, rid)
    local e = entryOf(h, rid)
    if e and e.holds == 0 and e.expiresAt <= h.now then return false end
    return e
  end

  -- Reads some more reservations with holds, in the stored order of their expiry.
  local function readOrder(h)
    local order, size = h.order, h.step or 2
    local count, rids = #order, redis.pcall('ZRANGE', h.index, #order, #order + size - 1)
    local unread, n = {}, 0
    h.step = min(4 * size, step)
    h.ordered = rids.err ~= nil or #rids < size
    h.corrupt = h.corrupt or rids.err ~= nil
    for i = 1, #rids do
      if h.entries[rids[i]] == nil then
        n = n + 1
        unread[n] = rids[i]
      end
    end
    local raws = n > 0 and redis.call('HMGET', h.key, unpack(unread, 1, n)) or {}
    for i = 1, n do h.entries[unread[i]] = raws[i] and readEntry(unread[i], raws[i]) or false end
    for i = 1, #rids do
      -- Entries that were removed in this call are still in the stored order.
      local e = h.forgotten[rids[i]] or h.entries[rids[i]]
      if not e or not e.indexed then
        h.corrupt, h.ordered = true, true
        return
      end
      order[count + i] = e
    end
  end

  -- Visits reservations with holds in the order of their expiry, until \`visit\` returns true. Entries that were
  -- changed in this call are in a separate list.
  local function eachHolder(h, visit)
    local order, i, m, mine = h.order, h.first, 1, h.mine
    while order[i] and order[i].changed do i = i + 1 end
    h.first = i
    while true do
      local e = order[i]
      if not e and not h.ordered then
        readOrder(h)
        e = order[i]
      end
      if e and e.changed then
        i = i + 1
      else
        local other = mine[m]
        if other and not (e and e.expiresAt < other.expiresAt) then
          e = other
          m = m + 1
        elseif e then
          i = i + 1
        else
          return
        end
        if visit(e) then return end
      end
    end
  end

  -- Call this after every change of a reservation.
  local function note(h, e)
    local mine = h.mine
    h.changed = true
    if not e.changed then
      e.changed = true
      h.dirty[#h.dirty + 1] = e
    elseif e.listed then
      for i = 1, #mine do
        if mine[i] == e then
          table.remove(mine, i)
          break
        end
      end
    end
    e.listed = e.holds > 0
    if e.listed then
      local i = #mine
      while i > 0 and mine[i].expiresAt > e.expiresAt do i = i - 1 end
      table.insert(mine, i + 1, e)
    end
    local last = e.expiresAt + (e.listed and rememberedHoldMs or 0)
    if last > h.endsAt then
      h.endsAt, h.moved = min(last + slackMs, latestBlank), true
    end
  end

  local function setHeld(h, e, unit, amount)
    local before = e.held[unit] or 0
    if amount == before then return end
    local wasHolding = e.holds > 0
    e.held[unit] = amount > 0 and amount or nil
    e.holds = e.holds + (amount > 0 and 1 or 0) - (before > 0 and 1 or 0)
    local sum = (h.sums[unit] or 0) + amount - before
    h.sums[unit] = sum > 0 and sum or nil
    if wasHolding ~= (e.holds > 0) then h.holding = h.holding + (wasHolding and -1 or 1) end
  end

  local function release(h, e)
    for unit in pairs(e.used) do setHeld(h, e, unit, 0) end
  end

  -- If it held nothing before, its expiry was only the time until which it is remembered.
  local function renew(h, e, wasHolding, now, lease)
    local expiresAt = now + lease
    if e.holds == 0 then
      e.expiresAt = expiresAt + rememberedHoldMs
      return
    end
    e.lapsed, e.expiresAt = false, wasHolding and max(e.expiresAt, expiresAt) or expiresAt
    h.earliest = min(h.earliest, e.expiresAt)
  end

  local function noteSpending(e, unit, amount, at, marks)
    e.last[unit] = amount > 0 and { at = at, amount = amount, marks = marks } or nil
  end

  local function lapse(h, now)
    if h.earliest > now then return end
    local over, n, earliest = {}, 0, latestBlank
    eachHolder(h, function(e)
      if e.expiresAt > now then
        earliest = e.expiresAt
        return true
      end
      n = n + 1
      over[n] = e
    end)
    if h.corrupt then return end
    for i = 1, n do
      local e = over[i]
      release(h, e)
      e.lapsed, e.expiresAt = true, e.expiresAt + rememberedHoldMs
      note(h, e)
    end
    h.earliest, h.changed = earliest, true
  end

  local function forget(h, e)
    h.entries[e.rid] = false
    h.count = h.count - 1
    e.forgotten = true
    if e.indexed then h.forgotten[e.rid] = e end
    if h.stored then h.gone[#h.gone + 1] = e.rid end
  end

  local function tidy(h, now)
    local fields = h.stored and redis.call('HGETALL', h.key) or {}
    for i = 1, #fields, 2 do
      local rid = fields[i]
      -- Leave unreadable entries unchanged.
      if rid ~= '' and h.entries[rid] == nil then h.entries[rid] = readEntry(rid, fields[i + 1]) or false end
    end
    local spare, over = {}, {}
    for _, e in pairs(h.entries) do
      if e and e.holds == 0 then
        if e.expiresAt <= now then over[#over + 1] = e else spare[#spare + 1] = e end
      end
    end
    if #spare > mostHolds then
      table.sort(spare, function(a, b) return a.expiresAt < b.expiresAt end)
      for i = 1, #spare - mostHolds do over[#over + 1] = spare[i] end
    end
    for i = 1, #over do forget(h, over[i]) end
    h.tidyAt = min(max(fewEntries, 2 * h.count), max(2 * mostHolds, h.count + fewEntries))
  end

  -- The entry of a reservation; a new one if there is none. The earlier use of a new one is in \`q\`, after index
  -- \`known\`.
  local function opened(h, rid, units, known, now)
    local e = find(h, rid)
    if e then return e end
    if h.count >= h.tidyAt then tidy(h, now) end
    local over = h.entries[rid]
    e = newEntry(rid, now)
    for n = 1, #units - 1 do
      local unit, amount = units[n + 1], q[known + n]
      if amount > 0 and not e.used[unit] then e.used[unit] = amount end
    end
    h.entries[rid] = e
    if over then over.forgotten, e.indexed = true, over.indexed else h.count = h.count + 1 end
    return e
  end

  -- Returns 'open', 'applied', 'ended' or 'crowded'.
  local function standingOf(h, rid, seq, more)
    local e = find(h, rid)
    if e and e.ended then return 'ended' end
    if e and seq <= e.seq then return 'applied' end
    if more and not (e and e.holds > 0) and h.holding >= mostHolds then return 'crowded' end
    return 'open'
  end

  local function isFirst(units, n)
    for before = 2, n do
      if units[before] == units[n + 1] then return false end
    end
    return true
  end

  -- The marks of a unit's groups. They are in \`marks\`, after index \`from\`.
  local function marksOf(units, unit, marks, from)
    local mine = {}
    for n = 1, #units - 1 do
      if units[n + 1] == unit then mine[#mine + 1] = marks[from + n] end
    end
    return mine
  end

  -- Admits or extends. \`units\` has the lease and the unit of each group. The numbers to spend, to hold, and already
  -- known are in \`q\`, after these indexes.
  local function hold(h, rid, seq, units, spends, holds, known, now, marks, from)
    local e = opened(h, rid, units, known, now)
    local wasHolding = e.holds > 0
    for n = 1, #units - 1 do
      local unit = units[n + 1]
      if isFirst(units, n) then
        local amount = q[spends + n]
        e.used[unit] = (e.used[unit] or 0) + amount
        if amount > 0 then noteSpending(e, unit, amount, now, marksOf(units, unit, marks, from)) end
        setHeld(h, e, unit, q[holds + n])
      end
    end
    e.seq = seq
    renew(h, e, wasHolding, now, units[1])
    note(h, e)
  end

  -- How much a call changes the used amount of a unit; 0 if the call is late.
  local function changeOf(h, rid, seq, ended, unit, known, used)
    local e = find(h, rid)
    if e and (e.ended or not ended and seq <= e.seq) then return 0 end
    return used - (e and e.used[unit] or known)
  end

  local function adjust(h, rid, seq, ended, raises, units, known, used, held, now, changeUsed)
    local before = find(h, rid)
    if before and (before.ended or not ended and seq <= before.seq) then return end
    local e = opened(h, rid, units, known, now)
    local wasHolding = e.holds > 0
    for n = 1, #units - 1 do
      local unit = units[n + 1]
      if isFirst(units, n) then
        local total = q[used + n]
        local change = total - (e.used[unit] or q[known + n])
        e.used[unit] = total
        if change ~= 0 then
          local last = e.last[unit]
          local marks = changeUsed(unit, change, last)
          if change > 0 then
            noteSpending(e, unit, change, now, marks)
          elseif last then
            noteSpending(e, unit, last.amount + change, last.at, last.marks)
          end
        end
        local amount = q[held + n]
        if ended then
          amount = 0
        elseif not raises then
          amount = min(amount, e.held[unit] or 0)
        end
        setHeld(h, e, unit, amount)
      end
    end
    if ended then release(h, e) end
    e.seq, e.ended = max(seq, e.seq), ended
    renew(h, e, wasHolding, now, units[1])
    note(h, e)
  end

  -- The state of a reservation before a call, so that the call can be cancelled: the number of its last call (-1 if it
  -- is not known), whether it has lapsed, and its expiry. For each unit: its number in the holdings, its number
  -- in the states' tags, the amount held, and the amount to hold in addition. The new amounts are in \`q\`, after index \`holds\`.
  local function stateBefore(h, rid, set, units, holds)
    local e = find(h, rid)
    local before = { seq = e and e.seq or -1, lapsed = e and e.lapsed or false, expiresAt = e and e.expiresAt or 0 }
    for n = 1, #units - 1 do
      local unit = units[n + 1]
      if isFirst(units, n) then
        local amount = e and e.held[unit] or 0
        before[#before + 1] = { unit, floor(set[n][1] / 16777216), amount, max(0, q[holds + n] - amount) }
      end
    end
    return before
  end

  -- Undoes a call that was admitted in this slot but not in another one. Returns whether there was something to undo
  -- and nothing came after it.
  local function undo(h, rid, seq, spent, before)
    local e = entryOf(h, rid)
    if not e or e.ended or e.seq ~= seq then return false end
    for unit, amount in pairs(before.held) do
      e.used[unit], e.last[unit] = max(0, (e.used[unit] or 0) - (spent[before.tagged[unit]] or 0)), nil
      setHeld(h, e, unit, amount)
    end
    e.seq, e.lapsed, e.expiresAt = before.seq, before.lapsed, before.expiresAt
    if e.holds > 0 then h.earliest = min(h.earliest, e.expiresAt) end
    note(h, e)
    if e.seq < 0 then forget(h, e) end
    return true
  end

  local function heldOf(h, unit)
    return h and h.sums[unit] or 0
  end

  -- Returns the wait until the units are free, and whether it is a wait for holders; math.huge means never.
  local function waitFor(h, unit, quota, now, need, windowWait)
    if need > quota then return math.huge, false end
    if need == 0 then return 0, false end
    local left = heldOf(h, unit)
    local ms, holders = windowWait(need + left), false
    if left == 0 or ms <= h.earliest - now then return ms, holders end
    eachHolder(h, function(e)
      local lapsesIn = e.expiresAt - now
      if lapsesIn >= ms then return true end
      local amount = e.held[unit]
      if amount then
        left = left - amount
        local after = max(lapsesIn, windowWait(need + left))
        if after < ms then ms, holders = after, true end
        return ms <= lapsesIn
      end
    end)
    return ms, holders
  end

  local function keep(key, h)
    if h.testClock then
      redis.call('PEXPIRE', key, format('%.0f', max(h.endsAt - h.now, 3600000)))
    else
      redis.call('PEXPIREAT', key, format('%.0f', h.endsAt))
    end
  end

  local function call(command, key, values)
    for from = 1, #values, step do
      redis.call(command, key, unpack(values, from, min(from + step - 1, #values)))
    end
  end

  local function writeOne(h)
    local fields, held, released = { '', packHeader(h) }, {}, {}
    for i = 1, #h.dirty do
      local e = h.dirty[i]
      if not e.forgotten then
        fields[#fields + 1] = e.rid
        fields[#fields + 1] = packEntry(e)
      end
      if e.holds > 0 then
        held[#held + 1] = format('%.0f', e.expiresAt)
        held[#held + 1] = e.rid
      elseif e.indexed and not (e.forgotten and h.entries[e.rid] and h.entries[e.rid].holds > 0) then
        released[#released + 1] = e.rid
      end
    end
    if h.left then redis.call('DEL', h.index) end
    call('HDEL', h.key, h.gone)
    call('HSET', h.key, fields)
    -- In this order: a set that loses its last member also loses its expiry.
    call('ZADD', h.index, held)
    call('ZREM', h.index, released)
    if h.moved or not h.stored then keep(h.key, h) end
    if #held > 0 and (h.moved or not h.indexed) then keep(h.index, h) end
  end

  local function write()
    for i = 1, allCount do
      local h = all[i]
      if h.removed then redis.call('DEL', h.key, h.index) elseif h.changed then writeOne(h) end
    end
  end

  -- Whether all holdings of the partition can be read and are consistent.
  local function isWhole(h)
    local fields, card = redis.pcall('HGETALL', h.key), redis.pcall('ZCARD', h.index)
    if h.corrupt or fields.err or type(card) == 'table' then return false end
    local holding = 0
    for i = 1, #fields, 2 do
      local e = fields[i] ~= '' and readEntry(fields[i], fields[i + 1])
      if fields[i] ~= '' and not e then return false end
      if e and e.holds > 0 then holding = holding + 1 end
    end
    if not h.stored then return #fields == 0 and card == 0 end
    return card == holding and holding == h.storedHolding
  end

  -- Removes holdings that cannot be read, and keeps all others.
  local function reset(k)
    local h = open(k, '')
    if isWhole(h) then return end
    h.removed = true
    add(k).checked = true
  end

  return {
    open = open, entryOf = entryOf, find = find, readOrder = readOrder, lapse = lapse, standingOf = standingOf,
    hold = hold, stateBefore = stateBefore, undo = undo, changeOf = changeOf, adjust = adjust, heldOf = heldOf, waitFor = waitFor, reset = reset, write = write,
  }
end
`;

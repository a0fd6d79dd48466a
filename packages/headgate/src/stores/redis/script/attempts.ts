/**
 * Requests whose keys are in several slots of a cluster. Each slot charges its share at once and keeps a record of it under
 * the attempt's id. `commit` removes the record when all slots have admitted the request; `cancel` gives back the recorded units.
 *
 * The records of a partition are a hash in the same slot. A record has `B` its state: 0 if the attempt was cancelled, 1
 * if its units are charged, 2 if a reset has forgotten them since. Then follow `I6` the time, `B` the number of charged
 * states, and for each state `I5` tag, `d` amount and `d` mark. If the attempt also holds units, the reservation's
 * earlier values follow: `d` number of the last call, `B` 1 if it had lapsed, and `I6` expiry. Then follow for each
 * unit `I4` its number among holdings, `I4` its number among tags, `d` the amount held before, and `d` how much more is
 * held now.
 *
 * A refusal because of units in records younger than five seconds is marked, because the request may be admitted soon.
 * A record is kept longer than that, for a late `cancel`.
 */
export const attempts = /* lua */ `
-- The attempt that the next request belongs to, or '' if the request only looks at the records; and the records of its
-- charges.
local spans, records = looks, nil
local contended = false
-- Whether the last cancel has found the charges of its attempt.
local isUndone = false

local function attemptRecords()
  local undecidedMs, mostCounted, untidy = 5000, 1024, 64
  local byKey, all, allCount = {}, {}, 0

  -- The records at the next key.
  local function openNext()
    local key = keys[recordKey]
    recordKey = recordKey + 1
    local b = byKey[key]
    if not b then
      b = { key = key, found = {}, dirty = {}, changed = false, whole = false }
      byKey[key] = b
      allCount = allCount + 1
      all[allCount] = b
    end
    return b
  end

  -- The record of an attempt; false if there is none, and nil if the key has another type.
  local function recordOf(b, id)
    if b.found[id] == nil then
      local found = redis.pcall('HGET', b.key, id)
      if type(found) == 'table' then return nil end
      b.found[id] = found
    end
    return b.found[id]
  end

  local function keepRecord(b, id, record)
    b.found[id], b.dirty[id], b.changed, b.sums = record, true, true, nil
  end

  local function readAllOf(b)
    if b.whole then return end
    b.whole = true
    local fields = redis.pcall('HGETALL', b.key)
    if fields.err then return end
    for i = 1, #fields, 2 do
      if b.found[fields[i]] == nil then b.found[fields[i]] = fields[i + 1] end
    end
  end

  -- The charge to each state; and for an attempt with holds, the reservation's earlier values.
  local function read(record)
    local state, at, count = unpackFrom('<BI6B', record)
    local used, from = {}, 9
    for n = 1, count do
      local tag, amount, mark = unpackFrom('<I5dd', record, from)
      used[n], from = { tag, amount, mark }, from + 21
    end
    if from > #record then return state, at, used end
    local seq, lapsed, expiresAt = unpackFrom('<dBI6', record, from)
    local before = { seq = seq, lapsed = lapsed == 1, expiresAt = expiresAt, held = {}, more = {}, tagged = {} }
    for place = from + 15, #record, 24 do
      local heldUnit, unit, amount, more = unpackFrom('<I4I4dd', record, place)
      before.held[heldUnit], before.more[unit], before.tagged[heldUnit] = amount, more, unit
    end
    return state, at, used, before
  end

  -- Records what a charge has done. \`used\` is a flat list of tags, amounts and marks. \`before\` is a list with four
  -- numbers for each unit.
  local function note(b, now, used, before)
    local parts = { pack('<BI6B', 1, now, #used / 3) }
    for i = 1, #used, 3 do parts[#parts + 1] = pack('<I5dd', used[i], used[i + 1], used[i + 2]) end
    if before then
      parts[#parts + 1] = pack('<dBI6', before.seq, before.lapsed and 1 or 0, before.expiresAt)
      for n = 1, #before do
        parts[#parts + 1] = pack('<I4I4dd', unpack(before[n]))
      end
    end
    keepRecord(b, spans, concat(parts))
  end

  -- For each unit, the amount charged and held by undecided attempts; and the latest time at which one of them is still
  -- undecided.
  local function undecidedOf(b)
    if b.sums then return b.sums end
    local now, sums = b.now, { units = {}, latest = 0 }
    b.sums = sums
    if not b.whole then
      local count = redis.pcall('HLEN', b.key)
      if type(count) == 'number' and count > mostCounted then
        sums.all, sums.latest = true, now + undecidedMs
        return sums
      end
      readAllOf(b)
    end
    for _, record in pairs(b.found) do
      if record and byte(record) > 0 then
        local state, at, used, before = read(record)
        if at > now - undecidedMs then
          sums.latest = max(sums.latest, min(at, now) + undecidedMs)
          local mine = {}
          for n = 1, state == 1 and #used or 0 do
            local unit = floor(used[n][1] / 16777216)
            mine[unit] = mine[unit] or used[n][2]
          end
          for unit, more in pairs(before and before.more or {}) do mine[unit] = (mine[unit] or 0) + more end
          for unit, amount in pairs(mine) do sums.units[unit] = (sums.units[unit] or 0) + amount end
        end
      end
    end
    return sums
  end

  -- Opens the keys of one request. Returns the records of each charge, and the fault of the request: 0 for none.
  local function openAll(count, now, testClock)
    local list, fault = {}, 0
    for c = 1, count do
      local b = openNext()
      b.now, b.testClock, list[c] = now, testClock, b
      if spans ~= '' and fault == 0 then
        local record = recordOf(b, spans)
        fault = record == nil and -1 or record and -3 or 0
      end
    end
    return list, fault
  end

  -- The answer for a wait. \`without\` returns the wait as it would be if the given number of units were not charged.
  local function waitOf(b, unit, now, ms, without)
    if ms <= 0 then return ms end
    local sums = undecidedOf(b)
    local units = sums.units[unit]
    if not units and not sums.all then return ms end
    local firm = sums.all and 0 or without(units)
    if firm >= ms then return ms end
    contended = true
    return -2 - min(ms, max(firm, sums.latest - now))
  end

  local function noteCharges(first, charges, now)
    local i = first
    for c = 1, charges do
      local set, used = sets[q[i]], {}
      for n = 1, #set do
        used[3 * n - 2], used[3 * n - 1], used[3 * n] = set[n][1], q[i + #set + n], 0
      end
      note(records[c], now, used)
      i = i + 1 + 2 * #set
    end
  end

  -- Reads one key and the given number of attempts. Their names begin at \`first\`.
  local function commit(first, count)
    local b = openNext()
    for n = first, first + count - 1 do keepRecord(b, rids[n], false) end
  end

  -- A reset forgets charges, but not holds.
  local function forget(now, testClock)
    local b = openNext()
    b.now, b.testClock = now, testClock
    readAllOf(b)
    for id, record in pairs(b.found) do
      if record and byte(record) == 1 then keepRecord(b, id, char(2) .. sub(record, 2)) end
    end
  end

  -- Removes the record, and leaves a mark in case its charge arrives later.
  local function take(b, id, mayCome)
    local record = recordOf(b, id)
    if record == nil then return nil end
    if mayCome then
      keepRecord(b, id, pack('<BI6B', 0, b.now, 0))
    elseif record then
      keepRecord(b, id, false)
    end
    return record and byte(record) > 0 and record
  end

  -- Most records expire with their key. But the key does not expire while new records keep arriving.
  local function tidy(b)
    local count = redis.pcall('HLEN', b.key)
    if type(count) ~= 'number' or count <= untidy then return end
    readAllOf(b)
    for id, record in pairs(b.found) do
      if record then
        local _, at = unpackFrom('<BI6', record)
        if at < b.now - rememberedMs then keepRecord(b, id, false) end
      end
    end
  end

  local function writeOne(b)
    local fields, gone = {}, {}
    for id in pairs(b.dirty) do
      local record = b.found[id]
      if record then
        fields[#fields + 1], fields[#fields + 2] = id, record
      else
        gone[#gone + 1] = id
      end
    end
    for from = 1, #gone, step do redis.pcall('HDEL', b.key, unpack(gone, from, min(from + step - 1, #gone))) end
    for from = 1, #fields, step do redis.call('HSET', b.key, unpack(fields, from, min(from + step - 1, #fields))) end
    if #fields > 0 then redis.call('PEXPIRE', b.key, b.testClock and 3600000 or rememberedMs) end
  end

  local function write()
    for i = 1, allCount do
      local b = all[i]
      if b.changed and b.now and b.now % tidyEvery == 0 then tidy(b) end
      if b.changed then writeOne(b) end
    end
  end

  return {
    open = openAll, note = note, noteCharges = noteCharges, waitOf = waitOf, commit = commit, forget = forget, take = take,
    read = read, write = write,
  }
end

local attempted
local function attempts()
  attempted = attempted or attemptRecords()
  return attempted
end
`;

import { holdings } from "./holdings.ts";

/**
 * Requests with holds, or with limits that others may hold units of. They are decided like all others, except that held
 * units count in addition to used ones. `others.ts` sets this part up when the first such request comes.
 */
export const reserving = /* lua */ `
local function reserving()
  ${holdings}
  local book = holdings()

  -- The window's wait, as if \`less\` units had not been charged.
  local function windowWait(s, g, l, now, less)
    local wait = algorithms[g[2]].wait
    return function(units)
      local ms = wait(s, g, l, now, units - less)
      if ms < 0 then return math.huge end
      return ms
    end
  end

  -- The indexes of a group's limits among its numbers.
  local function limitsOf(g)
    if isLog(g[2]) then return 4, #g end
    return 3, 3
  end

  local function isFree(p, h, g, unit, now, need)
    if need == 0 then return true end
    local units, s = need + book.heldOf(h, unit), stateOf(p, g[1])
    local first, last = limitsOf(g)
    for l = first, last, 2 do
      if units > g[l] or algorithms[g[2]].wait(s, g, l, now, units) ~= 0 then return false end
    end
    return true
  end

  local function waitAll(p, h, set, units, now, needs, b)
    for n = 1, #set do
      local g = set[n]
      local s = stateOf(p, g[1])
      local first, last = limitsOf(g)
      for l = first, last, 2 do
        local function waitWithout(less)
          return book.waitFor(h, units[n + 1], g[l], now, needs[n], windowWait(s, g, l, now, less))
        end
        local ms, holders = waitWithout(0)
        -- -1 means never. A smaller number is a wait for holders.
        if ms == math.huge then
          answer(-1)
        else
          ms = min(ms, 9007199254740989)
          local softened = b and attempts().waitOf(b, unitOf(g[1]), now, ms, waitWithout) or ms
          answer(holders and softened >= 0 and -2 - ms or softened)
        end
      end
    end
  end

  local function readAll(p, h, set, units, now)
    for n = 1, #set do show(p, set[n], now) end
    for n = 1, #set do
      local g = set[n]
      local s, read = stateOf(p, g[1]), algorithms[g[2]].read
      local held = book.heldOf(h, units[n + 1])
      local first, last = limitsOf(g)
      for l = first, last, 2 do
        local left, resetMs = read(s, g, l, now)
        if held > 0 then
          left = max(0, left - held)
          resetMs = 0
          if left < g[l] then
            local ms = book.waitFor(h, units[n + 1], g[l], now, left + 1, windowWait(s, g, l, now, 0))
            resetMs = min(ms, 9007199254740991)
          end
        end
        answer(left)
        answer(resetMs)
      end
    end
  end

  -- The holdings of a partition, after expired holds have lapsed. Also reads the first holders.
  local function openHeld(k, rid, now, testClock)
    local h = book.open(k, rid)
    h.now, h.testClock = now, testClock
    if not h.corrupt and rid ~= '' then book.entryOf(h, rid) end
    if not h.corrupt then book.lapse(h, now) end
    if not h.corrupt and h.holding > 0 and #h.order == 0 and not h.ordered then book.readOrder(h) end
    return h
  end

  -- Each charge has: its limit set, whether its holdings are among the keys, needs, spends; and for a reservation holds
  -- and known.
  local function decide(what, first, charges, k, now, testClock, rid, seq, failed)
    local peek = what == 6
    local width = rid ~= '' and 4 or 2
    local ps, hs, standings = {}, {}, {}
    local i, refusedFor, failedAt = first, nil, 1
    for c = 1, charges do
      local p, set, n = open(k + c - 1), sets[q[i]], #sets[q[i]]
      local fault = faultOf(p, set, now, i + 1 + n)
      ps[c], hs[c], standings[c] = p, false, 'open'
      if q[i + 1] == 1 then
        hs[c] = openHeld(heldKey, rid, now, testClock)
        heldKey = heldKey + 2
        if hs[c].corrupt then fault = -1 end
      end
      if failed == 0 and fault ~= 0 then failed, failedAt = fault, c end
      i = i + 2 + width * n
    end
    if failed ~= 0 then
      answer(failed)
      answer(failedAt)
      return
    end
    i = first
    if rid ~= '' then
      for c = 1, charges do
        local n, more = #sets[q[i]], false
        for g = 1, n do more = more or q[i + 1 + 2 * n + g] > 0 end
        standings[c] = book.standingOf(hs[c], rid, seq, more)
        if standings[c] == 'ended' or standings[c] == 'crowded' and not refusedFor then refusedFor = standings[c] end
        i = i + 2 + width * n
      end
    end

    local obstacle = refusedFor ~= 'ended' and obstacleOf(k, charges, now, seq, standings) or nil
    local admitted, needs = not refusedFor and not obstacle, {}
    i = first
    for c = 1, charges do
      local set, units = sets[q[i]], terms[q[i]]
      local n = #set
      needs[c] = {}
      for g = 1, n do
        local need = q[i + 1 + g]
        local total = rid ~= '' and q[i + 1 + 2 * n + g] or 0
        if standings[c] == 'applied' then
          need = 0
        elseif total > 0 then
          local e = book.find(hs[c], rid)
          need = max(0, q[i + 1 + n + g] + total - (e and e.held[units[g + 1]] or 0))
        end
        needs[c][g] = need
        admitted = admitted and isFree(ps[c], hs[c], set[g], units[g + 1], now, need)
      end
      i = i + 2 + width * n
    end

    answer(obstacle or admitted and 1 or refusedFor == 'ended' and 3 or refusedFor and 4 or 0)
    local status = o
    local marks, m = {}, 0
    i = first
    if admitted and not peek then
      for c = 1, charges do
        local p, set, n = ps[c], sets[q[i]], #sets[q[i]]
        p.testClock = testClock
        local from, used = m, records and spans ~= '' and standings[c] == 'open' and {}
        for g = 1, n do
          m = m + 1
          local amount = standings[c] == 'open' and q[i + 1 + n + g] or 0
          marks[m] = spend(p, stateOf(p, set[g][1]), set[g], now, amount)
          if used and amount > 0 then noteUsed(used, set[g][1], amount, marks[m]) end
        end
        if standings[c] == 'open' then chargeOthers(p, set, now, q, i + 1 + n, used) end
        if used then
          local before = rid ~= '' and book.stateBefore(hs[c], rid, set, terms[q[i]], i + 1 + 2 * n)
          attempts().note(records[c], now, used, before)
        end
        if rid ~= '' and standings[c] == 'open' then
          book.hold(hs[c], rid, seq, terms[q[i]], i + 1 + n, i + 1 + 2 * n, i + 1 + 3 * n, now, marks, from)
        end
        i = i + 2 + width * n
      end
      i = first
    end
    for c = 1, charges do
      local set, units = sets[q[i]], terms[q[i]]
      if not admitted then
        waitAll(ps[c], hs[c], set, units, now, needs[c], not obstacle and not refusedFor and records and records[c])
        if not peek and obstacle ~= 6 then keepChanges(ps[c], set, now, testClock) end
      end
      readAll(ps[c], hs[c], set, units, now)
      i = i + 2 + width * #set
    end
    if obstacle then answerOverrides(k, charges, now) end
    answerContended(status)
    answerMarks(status, marks, m)
  end

  -- Refunds the last spending first, then the charges that the caller lists. The newest of those are the same charges,
  -- or newer ones.
  local function giveBack(p, set, n, now, amount, refunds, count, last, ofUnit)
    local g, skipped = set[n], 0
    local s = stateOf(p, g[1])
    if s.draft then return end
    if last then
      local given = min(amount, last.amount)
      refund(p, s, g, now, given, last.at, last.marks[ofUnit] or 0)
      amount, skipped = amount - given, last.amount
    end
    for i = refunds, refunds + 4 * (count - 1), 4 do
      if q[i] == n then
        local skips = min(skipped, q[i + 1])
        local given = min(amount, q[i + 1] - skips)
        skipped, amount = skipped - skips, amount - given
        if given > 0 then refund(p, s, g, now, given, q[i + 2], q[i + 3]) end
      end
    end
    s.group = g
    touch(p, g[1], now)
  end

  -- Each adjustment has: its limit set, reservation, number, flags (1 if it has ended, 2 if it can hold more), known,
  -- used, held, the number of refunds, and the refunds.
  local function adjust(now, testClock)
    local count, first, k = q[at], at + 1, key
    local ps, hs, fault = {}, {}, 0
    at, key = first, key + count
    for a = 1, count do
      local p, set, n = open(k + a - 1), sets[q[at]], #sets[q[at]]
      local rid, seq, ended = rids[q[at + 1]], q[at + 2], q[at + 3] % 2 == 1
      local units = terms[q[at]]
      local h = openHeld(heldKey, rid, now, testClock)
      heldKey = heldKey + 2
      ps[a], hs[a] = p, h
      local one = (p.corrupt or h.corrupt) and -1 or 0
      if one == 0 then
        for g = 1, n do
          local s = show(p, set[g], now)
          if set[g][2] == 3 and not algorithms[3].canCharge(s, set[g], now)
            and book.changeOf(h, rid, seq, ended, units[g + 1], q[at + 3 + g], q[at + 3 + n + g]) > 0 then
            one = -2
          end
        end
      end
      if fault == 0 and one ~= 0 then
        fault = one
        answer(fault)
        answer(a)
      end
      at = at + 4 + 3 * n
      at = at + 1 + 4 * q[at]
    end
    if fault ~= 0 then return end

    answer(1)
    local status = o
    local marks, m = {}, 0
    local i = first
    for a = 1, count do
      local p, set, n, units = ps[a], sets[q[i]], #sets[q[i]], terms[q[i]]
      local flags, known = q[i + 3], i + 3
      local refunds = known + 3 * n + 2
      -- Prepare each adjustment in its turn: spending by earlier ones counts.
      for g = 1, n do
        marks[m + g] = 0
        show(p, set[g], now)
      end
      p.testClock = testClock
      book.adjust(
        hs[a], rids[q[i + 1]], q[i + 2], flags % 2 == 1, flags >= 2, units, known, known + n, known + 2 * n, now,
        function(unit, change, last)
          local mine, spent = {}, {}
          for g = 1, n do
            spent[g] = 0
            if units[g + 1] == unit then
              if change > 0 then
                spent[g] = change
                marks[m + g] = spend(p, stateOf(p, set[g][1]), set[g], now, change)
              else
                giveBack(p, set, g, now, -change, refunds, q[refunds - 1], last, #mine + 1)
              end
              mine[#mine + 1] = marks[m + g]
            end
          end
          if change > 0 then chargeOthers(p, set, now, spent, 0, false) end
          return mine
        end
      )
      m = m + n
      i = refunds + 4 * q[refunds - 1]
    end
    -- All heartbeats of one partition get the same readings.
    local readAt, readSet = {}, {}
    i = first
    for a = 1, count do
      local p, set, n = ps[a], sets[q[i]], #sets[q[i]]
      if readSet[p] == set then
        for from = readAt[p], readAt[p] + readAt[set] do answer(out[from]) end
      else
        readSet[p], readAt[p] = set, o + 1
        readAll(p, hs[a], set, terms[q[i]], now)
        readAt[set] = o - readAt[p]
      end
      i = i + 4 + 3 * n
      i = i + 1 + 4 * q[i]
    end
    answerMarks(status, marks, m)
  end

  -- Refunds the charges of an attempt. Reads the number of charges, reservation, number, attempt, and whether its
  -- charge may still arrive; then for each charge the limit set, and whether its holdings are among the keys.
  local function cancel(now, testClock)
    local count, rid, seq, id, mayCome = q[at], q[at + 1] > 0 and rids[q[at + 1]] or '', q[at + 2], rids[q[at + 3]], q[at + 4] == 1
    local first, k = at + 5, key
    local ps, hs, fault = {}, {}, 0
    at, key, spans, isUndone = first, key + count, '', false
    for c = 1, count do
      local p = open(k + c - 1)
      ps[c], hs[c] = p, false
      if q[at + 1] == 1 then
        hs[c] = openHeld(heldKey, rid, now, testClock)
        heldKey = heldKey + 2
      end
      if fault == 0 and (p.corrupt or hs[c] and hs[c].corrupt) then
        fault = -1
        answer(fault)
        answer(c)
      end
      at = at + 2
    end
    local mine = attempts().open(count, now, testClock)
    if fault ~= 0 then return end

    answer(1)
    local i = first
    for c = 1, count do
      local p, set, units = ps[c], sets[q[i]], terms[q[i]]
      local record = attempts().take(mine[c], id, mayCome)
      if record then
        local state, chargedAt, used, before = attempts().read(record)
        p.testClock = testClock
        local spent = {}
        for n = 1, #used do spent[unitOf(used[n][1])] = spent[unitOf(used[n][1])] or used[n][2] end
        if not before or book.undo(hs[c], rid, seq, spent, before) then
          isUndone = true
          for n = 1, state == 1 and #used or 0 do takeBack(p, now, chargedAt, unpack(used[n])) end
        end
      end
      for n = 1, #set do show(p, set[n], now) end
      readAll(p, hs[c], set, units, now)
      i = i + 2
    end
  end

  return { decide = decide, adjust = adjust, cancel = cancel, reset = book.reset, write = book.write }
end
`;

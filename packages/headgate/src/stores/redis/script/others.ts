import { concurrent } from "./concurrent.ts";
import { conversion } from "./conversion.ts";
import { firstState } from "./fields.ts";
import { fixedWindow } from "./fixed-window.ts";
import { partition } from "./partition.ts";
import { reserving } from "./reserving.ts";
import { slidingCounter } from "./sliding-counter.ts";
import { slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

/** All requests that are not plain enough for `plain.ts`. This part is set up when the first such request comes. */
export const others = /* lua */ `
local function others()
  ${slidingWindow}
  ${tokenBucket}
  ${fixedWindow}
  ${slidingCounter}
  ${concurrent}
  ${partition}
  ${conversion}

  local function answer(number)
    o = o + 1
    out[o] = number
  end

  -- The fault of this charge, before anything is spent: 0 for none, -1 for the state, -2 for the calendar.
  local function faultOf(p, set, now, spends)
    if p.corrupt then return -1 end
    for n = 1, #set do
      local g = set[n]
      local s = show(p, g, now)
      if g[2] == 3 and q[spends + n] > 0 and not algorithms[3].canCharge(s, g, now) then return -2 end
    end
    return 0
  end

  local function spend(p, s, g, now, amount)
    if amount == 0 then return 0 end
    s.group, s.draft = g, nil
    touch(p, g[1], now)
    local mark = algorithms[g[2]].charge(s, g, now, amount)
    -- In the millisecond of a reset, the mark distinguishes later charges from earlier ones.
    if p.reset and now <= p.reset.at then return -1 - mark end
    return mark
  end

  -- Gives units back, unless a reset has forgotten them.
  local function refund(p, s, g, now, amount, chargedAt, mark)
    local reset = p.reset
    if reset and (chargedAt < reset.at or chargedAt == reset.at and (mark >= 0 or reset.again == 1)) then return end
    if mark < 0 then mark = -1 - mark end
    algorithms[g[2]].refund(s, g, now, amount, chargedAt, mark)
  end

  -- Refunds the charge of a cancelled attempt to one state. Do not call it for charges that a reset has forgotten
  -- since.
  local function takeBack(p, now, chargedAt, tag, amount, mark)
    local s, kind = stateOf(p, tag), tag % 8
    if not s or s.draft then return end
    local g = { tag, kind, kind == 6 and s.widest or 0, kind == 2 and s.perUnit or s.window, s.perMs }
    if mark < 0 then mark = -1 - mark end
    s.group = g
    touch(p, tag, now)
    algorithms[kind].refund(s, g, now, amount, chargedAt, mark)
  end

  local function readAll(p, set, now)
    for n = 1, #set do
      local g = set[n]
      local s, read = stateOf(p, g[1]), algorithms[g[2]].read
      if isLog(g[2]) then
        for l = 4, #g, 2 do
          out[o + 1], out[o + 2] = read(s, g, l, now)
          o = o + 2
        end
      else
        out[o + 1], out[o + 2] = read(s, g, 3, now)
        o = o + 2
      end
    end
  end

  -- Whether any limit makes this charge wait.
  local function isRefused(p, set, now, needs)
    for n = 1, #set do
      local g, need = set[n], q[needs + n]
      if need > 0 then
        local s, wait = stateOf(p, g[1]), algorithms[g[2]].wait
        local l, last = 3, 3
        if isLog(g[2]) then l, last = 4, #g end
        for i = l, last, 2 do
          if wait(s, g, i, now, need) ~= 0 then return true end
        end
      end
    end
    return false
  end

  -- The wait for each limit; -1 means never.
  local function waitAll(p, set, now, needs, b)
    for n = 1, #set do
      local g, need = set[n], q[needs + n]
      local s, wait = stateOf(p, g[1]), algorithms[g[2]].wait
      local l, last = 3, 3
      if isLog(g[2]) then l, last = 4, #g end
      for i = l, last, 2 do
        local ms = need == 0 and 0 or min(wait(s, g, i, now, need), 9007199254740991)
        if b then
          ms = attempts().waitOf(b, unitOf(g[1]), now, ms, function(less) return wait(s, g, i, now, need - less) end)
        end
        answer(ms)
      end
    end
  end

  local function answerContended(status)
    if contended then out[status] = 7 end
    contended = false
  end

  -- The marks of all charges, after the readings; left out if all of them are 0.
  local function answerMarks(status, marks, count)
    for m = 1, count do
      if marks[m] ~= 0 then
        out[status] = 2
        for n = 1, count do answer(marks[n]) end
        return
      end
    end
  end

  local function inForce(p, now)
    local override = p.override
    if override and override.endsAt > now then return override end
  end

  -- The reason why overrides refuse: 5 if one of them blocks, 6 if the request was not made under the override in
  -- force. A reservation is extended under the limits that admitted it.
  local function obstacleOf(k, charges, now, seq, standings)
    local reason
    for c = 1, charges do
      local override = inForce(open(k + c - 1), now)
      if not standings or standings[c] ~= 'applied' then
        if override and override.blocks == 1 then
          reason = 5
        elseif seq <= 1 and (override and override.id or 0) ~= (under and under[c] or 0) then
          return 6
        end
      end
    end
    return reason
  end

  -- For each charge the end of its override, and its note; 0 if there is none.
  local function answerOverrides(k, charges, now)
    for c = 1, charges do
      local override = inForce(open(k + c - 1), now)
      answer(override and override.endsAt or 0)
      if override then answer(override.note) end
    end
  end

  local function decide(peek, first, charges, k, now, testClock)
    local admitted = true
    local i = first
    for c = 1, charges do
      local p, set = open(k + c - 1), sets[q[i]]
      local spends = i + #set
      local fault = faultOf(p, set, now, spends)
      if fault ~= 0 then
        answer(fault)
        answer(c)
        return
      end
      if admitted and isRefused(p, set, now, i) then admitted = false end
      i = spends + #set + 1
    end

    local obstacle = obstacleOf(k, charges, now, 0)
    if obstacle then admitted = false end
    answer(obstacle or admitted and 1 or 0)
    local status = o
    local marks, m = {}, 0
    i = first
    for c = 1, charges do
      local p, set = open(k + c - 1), sets[q[i]]
      local spends = i + #set
      if not admitted then
        waitAll(p, set, now, i, not obstacle and records and records[c])
        if not peek and obstacle ~= 6 then keepChanges(p, set, now, testClock) end
      elseif not peek then
        p.testClock = testClock
        local used = records and spans ~= '' and {}
        for n = 1, #set do
          local g = set[n]
          m = m + 1
          marks[m] = spend(p, stateOf(p, g[1]), g, now, q[spends + n])
          if used and q[spends + n] > 0 then noteUsed(used, g[1], q[spends + n], marks[m]) end
        end
        chargeOthers(p, set, now, q, spends, used)
        if used then attempts().note(records[c], now, used) end
      end
      readAll(p, set, now)
      i = spends + #set + 1
    end
    if obstacle then answerOverrides(k, charges, now) end
    answerContended(status)
    answerMarks(status, marks, m)
  end

  ${reserving}
  local reservations

  local function reserve()
    reservations = reservations or reserving()
    return reservations
  end

  -- The time at which the last spent unit leaves its window. An unreadable state may have had a long window.
  local function spentUntil(p, now)
    if p.corrupt then return now + 86400000 end
    local latest = 0
    for i = ${firstState}, p.last do
      local s = p[i]
      local blankAt = algorithms[s.tag % 8].blankAt
      if not s.draft then latest = max(latest, s.group and blankAt and blankAt(s) or s.blankAt) end
    end
    return min(latest, latestBlank)
  end

  -- The record of a reset that a partition keeps.
  local function noteReset(before, now, over)
    if before and before.over <= now then before = nil end
    if over <= now then return before end
    if not before then return { at = now, again = 0, over = over } end
    return { at = max(now, before.at), again = before.at >= now and 1 or 0, over = max(over, before.over) }
  end

  local function reset(now, testClock)
    local count = q[at]
    for k = key, key + count - 1 do
      local p = open(k)
      p.reset = noteReset(p.reset, now, spentUntil(p, now))
      p.changedAt, p.testClock, p.corrupt, p.last = now, testClock, false, ${firstState - 1}
      -- A value of another type has no text. It must be removed too.
      p.raw = p.raw or corrupt[p.key]
      reserve().reset(heldKey)
      heldKey = heldKey + 2
      if spans then attempts().forget(now, testClock) end
    end
    at, key = at + 1, key + count
    answer(1)
  end

  -- Reads the number of partitions; the index of the note, or 0 to end the override; the end, or 0 and the duration;
  -- the id; and whether it blocks.
  local function override(now, testClock)
    local count, note, endsAt, forMs, id, blocks = unpack(q, at, at + 5)
    if endsAt == 0 then endsAt = min(now + forMs, latestBlank) end
    local first = key
    at, key = at + 6, key + count
    for k = first, key - 1 do
      local p = open(k)
      if p.corrupt then
        answer(-1)
        answer(k - first + 1)
        return
      end
    end
    for k = first, key - 1 do
      local p = open(k)
      p.override = note > 0 and { endsAt = endsAt, id = id, blocks = blocks, note = rids[note] } or nil
      p.changedAt, p.testClock = now, testClock
    end
    answer(1)
  end

  local function write()
    if reservations then reservations.write() end
  end

  return { decide = decide, reserve = reserve, reset = reset, override = override, finish = finish, write = write }
end

`;

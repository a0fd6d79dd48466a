import { concurrent } from "./concurrent.ts";
import { conversion } from "./conversion.ts";
import { firstState } from "./fields.ts";
import { fixedWindow } from "./fixed-window.ts";
import { partition } from "./partition.ts";
import { slidingCounter } from "./sliding-counter.ts";
import { slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

/** Every request that is not as plain as those in `plain.ts`. Set up when the first of them comes along. */
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

  -- What is wrong with this charge, before anything is spent: 0 nothing, -1 the state, -2 the calendar.
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
    return algorithms[g[2]].charge(s, g, now, amount)
  end

  local function readAll(p, set, now)
    for n = 1, #set do
      local g = set[n]
      local s, read = stateOf(p, g[1]), algorithms[g[2]].read
      if g[2] == 1 then
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
        if g[2] == 1 then l, last = 4, #g end
        for i = l, last, 2 do
          if wait(s, g, i, now, need) ~= 0 then return true end
        end
      end
    end
    return false
  end

  -- How long each limit makes this charge wait, -1 for ever.
  local function waitAll(p, set, now, needs)
    for n = 1, #set do
      local g, need = set[n], q[needs + n]
      local s, wait = stateOf(p, g[1]), algorithms[g[2]].wait
      local l, last = 3, 3
      if g[2] == 1 then l, last = 4, #g end
      for i = l, last, 2 do
        answer(need == 0 and 0 or min(wait(s, g, i, now, need), 9007199254740991))
      end
    end
  end

  -- Marks of one charge after another, behind the readings; left out where all of them are 0.
  local function answerMarks(status, marks, count)
    for m = 1, count do
      if marks[m] ~= 0 then
        out[status] = 2
        for n = 1, count do answer(marks[n]) end
        return
      end
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

    answer(admitted and 1 or 0)
    local status = o
    local marks, m = {}, 0
    i = first
    for c = 1, charges do
      local p, set = open(k + c - 1), sets[q[i]]
      local spends = i + #set
      if not admitted then
        waitAll(p, set, now, i)
        if not peek then keepChanges(p, set, now, testClock) end
      elseif not peek then
        p.testClock = testClock
        for n = 1, #set do
          local g = set[n]
          m = m + 1
          marks[m] = spend(p, stateOf(p, g[1]), g, now, q[spends + n])
        end
        chargeOthers(p, set, now, spends)
      end
      readAll(p, set, now)
      i = spends + #set + 1
    end
    answerMarks(status, marks, m)
  end

  local function adjustOne(p, set, now, from, testClock)
    local i = from + 3
    for _ = 1, q[from] do
      local g, amount, chargedAt, mark = set[q[i]], q[i + 1], q[i + 2], q[i + 3]
      i = i + 4
      local s = stateOf(p, g[1])
      if not s.draft then
        algorithms[g[2]].refund(s, g, now, amount, chargedAt, mark)
        s.group = g
        touch(p, g[1], now)
      end
    end
    for _ = 1, q[from + 1] do
      local g, mark = set[q[i]], q[i + 1]
      i = i + 2
      local s, renew = stateOf(p, g[1]), algorithms[g[2]].renew
      if renew then
        renew(s, g, now, mark)
        s.group, p.changedAt = g, now
      end
    end
    p.testClock = testClock
  end

  -- Each is: set, refunds, renewals, length of both, the refunds, the renewals, what each group spends.
  local function adjust(now, testClock)
    local count, k = q[at], key
    local first = at + 1
    at, key = first, key + count
    local fault = 0
    for c = 1, count do
      local p, set = open(k + c - 1), sets[q[at]]
      local spends = at + 3 + q[at + 3]
      at = spends + #set + 1
      if fault == 0 then
        fault = faultOf(p, set, now, spends)
        if fault ~= 0 then
          answer(fault)
          answer(c)
        end
      end
    end
    if fault ~= 0 then return end

    answer(1)
    local status = o
    local marks, m = {}, 0
    local i = first
    for c = 1, count do
      local p, set = open(k + c - 1), sets[q[i]]
      local spends = i + 3 + q[i + 3]
      adjustOne(p, set, now, i + 1, testClock)
      for n = 1, #set do
        local g = set[n]
        m = m + 1
        marks[m] = spend(p, stateOf(p, g[1]), g, now, q[spends + n])
      end
      chargeOthers(p, set, now, spends)
      i = spends + #set + 1
      readAll(p, set, now)
    end
    answerMarks(status, marks, m)
  end

  local function reset()
    local count = q[at]
    for k = key, key + count - 1 do
      local p = open(k)
      p.changedAt, p.corrupt, p.last = 0, false, ${firstState - 1}
      -- What is of another type has no text, and must go as well.
      p.raw = p.raw or corrupt[p.key]
    end
    at, key = at + 1, key + count
    answer(1)
  end

  return { decide = decide, adjust = adjust, reset = reset, finish = finish }
end

`;

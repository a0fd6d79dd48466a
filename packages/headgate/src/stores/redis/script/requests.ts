/**
 * Reads the requests of one call and answers them in their order. `ARGV[1]` is JSON: the limit sets, as
 * `limit-text.ts` writes them, and one flat list of numbers, as `message.ts` writes it. The answer is one flat
 * list of whole numbers, which `reply.ts` reads. A request that cannot be answered does not spoil the others.
 */
export const requests = /* lua */ `
local message = cjson.decode(ARGV[1])
local sets, q = message[1], message[2]
local at, size = 1, #q
local out, o = { 0 }, 1
local serverNow

local function timeOf(given)
  if given > 0 then return given end
  if not serverNow then
    local time = redis.call('TIME')
    serverNow = time[1] * 1000 + floor(time[2] / 1000)
    out[1] = serverNow
  end
  return serverNow
end

local function answer(number)
  o = o + 1
  out[o] = number
end

-- What is wrong with this charge, before anything is spent: 0 nothing, -1 the state, -2 the calendar.
local function faultOf(p, set, now, spends)
  if p.corrupt then return -1 end
  for n = 1, #set do
    local g = set[n]
    local s = show(p, g)
    if g[2] == 3 and q[spends + n] > 0 and not algorithms[3].canCharge(s, g, now) then return -2 end
  end
  return 0
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

local function decide(peek, now, testClock)
  local charges = q[at]
  local first = at + 1
  at = first
  local admitted, fault = true, 0
  for c = 1, charges do
    local p, set = open(q[at]), sets[q[at + 1]]
    local needs = at + 1
    local spends = needs + #set
    at = spends + #set + 1
    if fault == 0 then
      fault = faultOf(p, set, now, spends)
      if fault ~= 0 then
        answer(fault)
        answer(c)
      elseif admitted and isRefused(p, set, now, needs) then
        admitted = false
      end
    end
  end
  if fault ~= 0 then return end

  answer(admitted and 1 or 0)
  local status = o
  local marks, m = {}, 0
  local i = first
  for c = 1, charges do
    local p, set = open(q[i]), sets[q[i + 1]]
    local needs = i + 1
    local spends = needs + #set
    i = spends + #set + 1
    if admitted and not peek then
      p.testClock = testClock
      for n = 1, #set do
        local g = set[n]
        m = m + 1
        marks[m] = spend(p, stateOf(p, g[1]), g, now, q[spends + n])
      end
    end
    if not admitted then waitAll(p, set, now, needs) end
    readAll(p, set, now)
  end
  answerMarks(status, marks, m)
end

local function adjustOne(p, set, now, from, testClock)
  local i = from + 3
  for _ = 1, q[from] do
    local g, amount, chargedAt, mark = set[q[i]], q[i + 1], q[i + 2], q[i + 3]
    i = i + 4
    local s = stateOf(p, g[1])
    algorithms[g[2]].refund(s, g, now, amount, chargedAt, mark)
    s.group, p.changedAt = g, now
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

-- Each is: partition, set, refunds, renewals, length of both, the refunds, the renewals, what each group spends.
local function adjust(now, testClock)
  local count = q[at]
  local first = at + 1
  at = first
  local fault = 0
  for c = 1, count do
    local p, set = open(q[at]), sets[q[at + 1]]
    local spends = at + 4 + q[at + 4]
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
  for _ = 1, count do
    local p, set = open(q[i]), sets[q[i + 1]]
    local spends = i + 4 + q[i + 4]
    adjustOne(p, set, now, i + 2, testClock)
    for n = 1, #set do
      local g = set[n]
      m = m + 1
      marks[m] = spend(p, stateOf(p, g[1]), g, now, q[spends + n])
    end
    i = spends + #set + 1
    readAll(p, set, now)
  end
  answerMarks(status, marks, m)
end

local function reset()
  for i = at + 1, at + q[at] do
    local k = q[i]
    local p = open(k)
    local fresh = partitionOf(p.raw)
    fresh.changedAt = 0
    partitions[k] = fresh
  end
  at = at + q[at] + 1
  answer(1)
end

while at <= size do
  local what, given = q[at], q[at + 1]
  at = at + 2
  if what <= 2 then
    local now, testClock = timeOf(given), given > 0
    if what == 2 then adjust(now, testClock) else decide(what == 1, now, testClock) end
  elseif what == 3 then
    reset()
  else
    redis.call('SET', KEYS[q[at]], '', 'PX', 1)
    at = at + 1
    answer(1)
  end
end

for k, p in pairs(partitions) do
  if p.changedAt then store(k, p) end
end
return out
`;

/**
 * One command reads the keys of all partitions of a call. One command writes all replaced values, because most of a command's
 * cost is the call itself; then each key gets its expiry. Nothing is written before all requests are decided.
 */
export const reading = /* lua */ `
-- Lua can pass a few thousand values at a time.
local step = 1000

-- The value of each key. After a request that needed no unpacking, it is the new value. Each key is read once.
local held, distinct, count = {}, {}, 0
for k = 1, valueCount do
  local key = keys[k]
  if held[key] == nil then
    held[key] = false
    count = count + 1
    distinct[count] = key
  end
end
local repeated = count < valueCount

-- A key without a value in MGET does not exist, or has another type.
local corrupt, passed, passedCount, there = {}, {}, 0, 0
for from = 1, count, step do
  local values = redis.call('MGET', unpack(distinct, from, min(from + step - 1, count)))
  for i = 1, #values do
    local key = distinct[from - 1 + i]
    if values[i] then
      held[key] = values[i]
    else
      passedCount = passedCount + 1
      passed[passedCount] = key
    end
  end
end
for from = 1, passedCount, step do
  there = there + redis.call('EXISTS', unpack(passed, from, min(from + step - 1, passedCount)))
end
if there > 0 then
  for i = 1, passedCount do corrupt[passed[i]] = redis.call('EXISTS', passed[i]) > 0 end
end

-- The keys and values to write, in pairs. At the same indexes of \`ends\`: whether a test's clock is used, and the
-- expiry. If a key occurs twice, the last value counts.
local changed, ends = {}, {}
count = 0
local blank = {}

-- What to append to the values of keys, as key, text and offset, before anything else is written. The offset is false
-- to append, or the index at which the text replaces the last entry. The keys in \`anew\` get a new value, so nothing
-- can be appended to them any more.
local grown, grownCount, anew = {}, 0, {}

-- The unpacked partitions, by key.
local partitions = {}
`;

export const writing = /* lua */ `
local texts = {}

-- Writing numbers as text is slow, and many partitions expire at the same time.
local function textOf(number)
  local text = texts[number]
  if not text then
    text = format('%.0f', number)
    texts[number] = text
  end
  return text
end

if other then other.write() end
if claims then claims.write() end
if attempted then attempted.write() end
for i = 1, grownCount, 3 do
  local key, entry, offset = grown[i], grown[i + 1], grown[i + 2]
  if offset then redis.call('SETRANGE', key, offset, entry) else redis.call('APPEND', key, entry) end
end
for from = 1, count, 2 * step do
  redis.call('MSET', unpack(changed, from, min(from + 2 * step - 1, count)))
end
for i = 1, count, 2 do
  if ends[i] then
    redis.call('PEXPIRE', changed[i], textOf(max(ends[i + 1], 3600000)))
  else
    redis.call('PEXPIREAT', changed[i], textOf(ends[i + 1]))
  end
end
for i = 1, #blank do redis.call('DEL', blank[i]) end
return out
`;

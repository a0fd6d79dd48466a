import { firstState } from "./fields.ts";

/**
 * A partition is one string. Its first byte is 1. Then follows a record for each group of limits that was ever charged:
 * `I5` a tag (the group's id and, as the remainder of 8, the algorithm), `I6` the time from which it is blank, `I4` the
 * length of its state, and the state. Groups that a request does not name stay as they are until they are blank.
 *
 * A partition with an override has the first byte 3. Then follow `I6` the end of the override, `I6` its id, `B` 1 if it
 * blocks, `I2` the length of a note, and the note; then the partition as it would be without the override, if there is
 * anything.
 *
 * A partition that was reset has the first byte 4 as long as the forgotten charges would still count. Then follow `I6`
 * the time of the reset, `B` 1 if there was an earlier one in the same millisecond, `I6` how long the record is needed;
 * then the partition as it would be without the record. If there is also an override, the override comes first.
 *
 * If a sliding window is alone in the partition, entries can be appended to the value. Its first byte is then 2. Then
 * follow `I5` the tag, `I6` the expiry of the key, and the state. A caller with one stamp fits into 44 bytes, which
 * Redis stores in a single allocation.
 */
export const partition = /* lua */ `
local prepare = { slidingWindow, tokenBucket, fixedWindow, slidingCounter, concurrent, slidingWindow }
local algorithms = {}

local function isLog(kind)
  return kind == 1 or kind == 6
end

local function algorithmOf(kind)
  local algorithm = algorithms[kind]
  if not algorithm then
    algorithm = prepare[kind]()
    algorithms[kind] = algorithm
    if isLog(kind) then algorithms[1], algorithms[6] = algorithm, algorithm end
  end
  return algorithm
end

local opened, openedCount = {}, 0

local function stateOf(p, tag)
  for i = ${firstState}, p.last do
    if p[i][1] == tag then return p[i] end
  end
end

local function add(p, s)
  p.last = p.last + 1
  p[p.last] = s
end

local function parse(p, raw)
  local size = #raw
  if byte(raw, 1) == 2 then
    local tag = size >= 40 and unpackFrom('<I5', raw, 2) or 0
    local s = isLog(tag % 8) and algorithmOf(1).load(raw, 13, size - 12)
    if not s then return false end
    s.tag, s.blankAt = tag, min(s.newest + s.widest, latestBlank)
    add(p, s)
    return true
  end
  if byte(raw, 1) ~= 1 then return false end
  local at = 2
  while at <= size do
    if at + 14 > size then return false end
    local tag, blankAt, length, from = unpackFrom('<I5I6I4', raw, at)
    local kind, upto = tag % 8, from + length - 1
    if upto > size or not prepare[kind] or stateOf(p, tag) then return false end
    local s = algorithmOf(kind).load(raw, from, length)
    if not s then return false end
    s.tag, s.blankAt, s.at, s.upto, s.group = tag, blankAt, at, upto, false
    add(p, s)
    at = upto + 1
  end
  return true
end

local overrideForm = '<BI6I6BI2'

-- The override of a partition, and the rest of its value; nothing if it cannot be read.
local function unwrap(raw)
  if #raw < 16 then return end
  local _, endsAt, id, blocks, length = unpackFrom(overrideForm, raw)
  if 16 + length > #raw then return end
  return { endsAt = endsAt, id = id, blocks = blocks, note = sub(raw, 17, 16 + length) }, sub(raw, 17 + length)
end

local resetForm = '<BI6BI6'

local function unwrapReset(raw)
  if #raw < 14 then return end
  local _, at, again, over = unpackFrom(resetForm, raw)
  return { at = at, again = again, over = over }, sub(raw, 15)
end

local function wrapReset(r, value)
  return pack(resetForm, 4, r.at, r.again, r.over) .. value
end

local function wrap(o, value)
  return pack(overrideForm, 3, o.endsAt, o.id, o.blocks, #o.note) .. o.note .. value
end

local function open(k)
  local key = keys[k]
  local p = partitions[key]
  if p then return p end
  local raw = held[key]
  p = { key, raw, false, false, false, ${firstState - 1}, false }
  partitions[key] = p
  openedCount = openedCount + 1
  opened[openedCount] = p
  if raw then
    local rest = raw
    if byte(rest, 1) == 3 then p.override, rest = unwrap(rest) end
    if rest and byte(rest, 1) == 4 then p.reset, rest = unwrapReset(rest) end
    if rest then p.raw = rest end
    p.corrupt = not rest or rest == '' and rest == raw or rest ~= '' and not parse(p, rest)
  else
    p.corrupt = corrupt[key] or false
  end
  return p
end

local version, growing = char(1), char(2)

-- The record of a state that is kept unchanged. A log that was alone in the partition has no record yet.
local function recordOf(p, s)
  if s.at > 0 then return sub(p.raw, s.at, s.upto) end
  return pack('<I5I6I4', s.tag, s.blankAt, s.upto - 12) .. sub(p.raw, 13)
end

-- Until when any other state of the unit counts. All are kept equally long, because a missing one would be rebuilt from
-- the others.
local function companyUntil(p, s)
  local last, unit = 0, floor(s.tag / 16777216)
  if p.last == ${firstState} or s.tag % 8 == 5 then return last end
  for i = ${firstState}, p.last do
    local mate = p[i]
    local kind = mate[1] % 8
    if mate ~= s and not mate.draft and kind ~= 5 and floor(mate[1] / 16777216) == unit then
      last = max(last, algorithms[kind].blankAt(mate))
    end
  end
  return min(last, latestBlank)
end

-- The new value of a partition, and the expiry of its key; nothing if the partition is blank.
local function valueOf(p)
  local now, latest, value, states, last = p.changedAt, 0, '', 0
  for i = ${firstState}, p.last do
    local s = p[i]
    local blankAt, head, middle, tail = s.blankAt
    if s.group then
      blankAt, head, middle, tail = algorithms[s.tag % 8].save(s, companyUntil(p, s))
    end
    if blankAt > now then
      if blankAt > latest then latest = blankAt end
      value = value .. (head or recordOf(p, s)) .. (middle or '') .. (tail or '')
      states, last = states + 1, s
    end
  end
  if states == 0 then return end
  local s = last
  if states > 1 or not isLog(s.tag % 8) then return version .. value, latest end
  local endsAt = endOf(latest, s.widest)
  return growing .. sub(value, 1, 5) .. pack('<I6', endsAt) .. sub(value, 16), endsAt
end

-- Adds the changes to the values to write, and to the blank keys.
local function finish()
  for i = 1, openedCount do
    local p = opened[i]
    if p.changedAt then
      local value, latest = valueOf(p)
      local reset, override = p.reset, p.override
      if reset and reset.over > p.changedAt then
        value, latest = wrapReset(reset, value or ''), max(latest or 0, reset.over)
      end
      if override and override.endsAt > p.changedAt then
        value, latest = wrap(override, value or ''), max(latest or 0, override.endsAt)
      end
      if value then
        changed[count + 1], changed[count + 2] = p.key, value
        ends[count + 1], ends[count + 2] = p.testClock, p.testClock and latest - p.changedAt or latest
        count = count + 2
      elseif p.raw then
        blank[#blank + 1] = p.key
      end
    end
  end
end
`;

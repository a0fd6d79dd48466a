import { firstState } from "./fields.ts";

/**
 * A partition is one string: a byte that says the format, then for each group of limits that it was ever charged
 * under, `I5` a tag (the group's id and, as the remainder of 8, the algorithm), `I6` from when on it is blank, `I4`
 * the length of its state, and the state. Groups that a request does not name are carried along as they are, until
 * they are blank. A caller with one stamp fits into the 44 bytes that Redis keeps in one piece.
 */
export const partition = /* lua */ `
local prepare = { slidingWindow, tokenBucket, fixedWindow, slidingCounter, concurrent }
local algorithms = {}

local function algorithmOf(kind)
  local algorithm = algorithms[kind]
  if not algorithm then
    algorithm = prepare[kind]()
    algorithms[kind] = algorithm
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
    p.corrupt = not parse(p, raw)
  else
    p.corrupt = corrupt[key] or false
  end
  return p
end

-- The state that a group of limits reads.
local function show(p, g)
  local s = stateOf(p, g[1])
  if not s then
    s = algorithmOf(g[2]).blank()
    s.tag, s.blankAt, s.group = g[1], 0, false
    add(p, s)
  end
  return s
end

local version = char(1)

-- What a partition has become, and when it ends; nothing where it is blank.
local function valueOf(p)
  local now, latest, value = p.changedAt, 0, version
  for i = ${firstState}, p.last do
    local s = p[i]
    if s.group then
      local blankAt, head, middle, tail = algorithms[s.tag % 8].save(s, s.group)
      if blankAt > now then
        if blankAt > latest then latest = blankAt end
        value = value .. head .. (middle or '') .. (tail or '')
      end
    elseif s.blankAt > now then
      if s.blankAt > latest then latest = s.blankAt end
      value = value .. sub(p.raw, s.at, s.upto)
    end
  end
  if latest > 0 then return value, latest end
end

-- Adds what has changed to what is to be written, and to what is blank.
local function finish()
  for i = 1, openedCount do
    local p = opened[i]
    if p.changedAt then
      local value, latest = valueOf(p)
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

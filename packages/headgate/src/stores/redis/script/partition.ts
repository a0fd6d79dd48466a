/**
 * A partition is one string: a byte that says the format, then for each group of limits that it was ever charged
 * under, `I5` a tag (the group's id and, as the remainder of 8, the algorithm), `I6` from when on it is blank, `I4`
 * the length of its state, and the state. Groups that a request does not name are carried along as they are, until
 * they are blank. A caller with one stamp fits into the 44 bytes that Redis keeps in one piece.
 *
 * An algorithm is set up when the first limit that needs it comes along; they are in the order of their numbers, as
 * `algorithmNumbers` in `limit-text.ts` has them. The states of a partition are in its array part, `p[1]` to `p[p.n]`.
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

local partitions = {}

local function stateOf(p, tag)
  local s = p[1]
  if s and s.tag == tag then return s end
  for i = 2, p.n do
    if p[i].tag == tag then return p[i] end
  end
end

-- Room for one state: mostly there is no other.
local function partitionOf(raw)
  return { false, n = 0, raw = raw, corrupt = false, changedAt = false, testClock = false }
end

local function add(p, s)
  p.n = p.n + 1
  p[p.n] = s
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
  local p = partitions[k]
  if p then return p end
  local raw = redis.pcall('GET', KEYS[k])
  p = partitionOf(raw)
  partitions[k] = p
  if not raw then return p end
  if type(raw) == 'table' then
    if not find(raw.err, 'WRONGTYPE', 1, true) then error(raw.err, 0) end
    p.corrupt = true
  else
    p.corrupt = not parse(p, raw)
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

local function spend(p, s, g, now, amount)
  if amount == 0 then return 0 end
  s.group, p.changedAt = g, now
  return algorithms[g[2]].charge(s, g, now, amount)
end

local texts = {}

-- Numbers are slow to write, and many partitions end together.
local function textOf(number)
  local text = texts[number]
  if not text then
    text = format('%.0f', number)
    texts[number] = text
  end
  return text
end

local function store(k, p)
  local now, latest, value = p.changedAt, 0, char(1)
  for i = 1, p.n do
    local s = p[i]
    local blankAt, state = s.blankAt, nil
    if s.group then blankAt, state = algorithms[s.tag % 8].save(s, s.group) end
    if blankAt > now then
      if blankAt > latest then latest = blankAt end
      value = value .. (state or sub(p.raw, s.at, s.upto))
    end
  end
  if latest == 0 then
    if p.raw then redis.call('DEL', KEYS[k]) end
  elseif p.testClock then
    redis.call('SET', KEYS[k], value, 'PX', textOf(max(latest - now, 3600000)))
  else
    redis.call('SET', KEYS[k], value, 'PXAT', textOf(latest))
  end
end
`;

import { mostStatesOfUnit } from "../../../core/conversion.ts";
import { firstState } from "./fields.ts";

/**
 * `core/conversion.ts`: states of one unit in a partition are converted from each other and charged together, even if the
 * current limits do not name all of them. A state that was only read is a draft: it is made again each time and never stored.
 */
export const conversion = /* lua */ `
  -- The unit that a state counts, from its tag.
  local function unitOf(tag)
    return floor(tag / 16777216)
  end

  local function isLive(s, now)
    local blankAt = algorithms[s.tag % 8].blankAt
    return not s.draft and blankAt ~= nil and blankAt(s) > now
  end

  -- The initial value of a draft: the highest count among the other states of its unit.
  local function begin(p, draft, g, now)
    local algorithm, unit = algorithmOf(g[2]), unitOf(g[1])
    if not algorithm.reach then return end
    local after, amount = nil, 0
    for i = ${firstState}, p.last do
      local s = p[i]
      if s ~= draft and unitOf(s.tag) == unit and isLive(s, now)
        and not (s.tag % 8 == g[2] and algorithm.adopt) then
        after = after or algorithm.reach(g, now)
        amount = max(amount, algorithms[s.tag % 8].spentAfter(s, now, after))
      end
    end
    if amount > 0 then algorithm.charge(draft, g, now, amount) end
    if algorithm.adopt then
      for i = ${firstState}, p.last do
        local s = p[i]
        if s ~= draft and s.tag % 8 == g[2] and unitOf(s.tag) == unit and isLive(s, now) then
          algorithm.adopt(draft, g, now, s)
        end
      end
    end
  end

  -- The state that a group of limits reads.
  local function show(p, g, now)
    local place = p.last + 1
    for i = ${firstState}, p.last do
      local s = p[i]
      if s.tag == g[1] then
        if not s.draft then return s end
        place = i
      end
    end
    local s = algorithmOf(g[2]).blank()
    s.tag, s.blankAt, s.group, s.draft = g[1], 0, false, true
    p[place] = s
    p.last = max(p.last, place)
    if p.last > ${firstState} then begin(p, s, g, now) end
    return s
  end

  -- All states of a unit expire together, so all are stored again together.
  local function touch(p, tag, now)
    p.changedAt = now
    if p.last == ${firstState} then return end
    local unit = unitOf(tag)
    for i = ${firstState}, p.last do
      local s = p[i]
      if not s.draft and not s.group and s.tag % 8 ~= 5 and unitOf(s.tag) == unit then s.group = true end
    end
  end

  local function isNamed(set, tag)
    for n = 1, #set do
      if set[n][1] == tag then return true end
    end
    return false
  end

  -- What this set spends of a unit, and the number of its groups that do. The amounts of the groups are in \`amounts\`,
  -- after index \`spends\`.
  local function spentOf(set, unit, amounts, spends)
    local amount, groups = 0, 0
    for n = 1, #set do
      if set[n][2] ~= 5 and unitOf(set[n][1]) == unit then
        amount, groups = amounts[spends + n], groups + 1
      end
    end
    return amount, groups
  end

  local function noteUsed(used, tag, amount, mark)
    local n = #used
    used[n + 1], used[n + 2], used[n + 3] = tag, amount, mark
  end

  -- Writes the charges to the states that other limits left, and drops those that are blank or too many. Charges that a
  -- cancel may refund later are added to \`used\`.
  local function chargeOthers(p, set, now, amounts, spends, used)
    if p.last - ${firstState - 1} <= #set then return end
    local lasting, ending = {}, {}
    for i = ${firstState}, p.last do
      local s = p[i]
      if s.tag % 8 ~= 5 and not s.draft and not isNamed(set, s.tag) then
        local amount = spentOf(set, unitOf(s.tag), amounts, spends)
        if amount > 0 then
          if isLive(s, now) then
            lasting[#lasting + 1] = { s, algorithms[s.tag % 8].blankAt(s), amount }
          else
            ending[s] = true
          end
        end
      end
    end
    if #lasting > 1 then table.sort(lasting, function(a, b) return a[2] > b[2] end) end
    local room = {}
    for i = 1, #lasting do
      local s, unit = lasting[i][1], unitOf(lasting[i][1][1])
      if not room[unit] then
        local _, groups = spentOf(set, unit, amounts, spends)
        room[unit] = ${mostStatesOfUnit} - groups
      end
      if room[unit] > 0 then
        room[unit] = room[unit] - 1
        local mark = algorithms[s.tag % 8].along(s, now, lasting[i][3])
        if used then noteUsed(used, s.tag, lasting[i][3], mark) end
        s.group = true
      else
        ending[s] = true
      end
    end
    local kept = ${firstState - 1}
    for i = ${firstState}, p.last do
      if not ending[p[i]] then
        kept = kept + 1
        p[kept] = p[i]
      end
    end
    p.last = kept
  end

  -- Stores the converted states of changed limits: a reported wait must stay true.
  local function keepChanges(p, set, now, testClock)
    for n = 1, #set do
      local g = set[n]
      local s, algorithm = stateOf(p, g[1]), algorithms[g[2]]
      if s.draft then
        if algorithm.blankAt and algorithm.blankAt(s) > now then
          s.draft, s.group, p.testClock = nil, g, testClock
          touch(p, g[1], now)
        end
      elseif algorithm.adapt and algorithm.adapt(s, g, now) then
        s.group, p.testClock = g, testClock
        touch(p, g[1], now)
      end
    end
  end
`;

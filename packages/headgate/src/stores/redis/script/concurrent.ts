/**
 * `core/algorithms/concurrent.ts`: places are held and never used up, so there is no state. `holdings.ts` stores the holds,
 * for this limit as for every other. A limit is passed as quota and window.
 */
export const concurrent = /* lua */ `
local function concurrent()
  local function wait(s, g, l, now, need)
    if need > g[3] then return -1 end
    return 0
  end

  return {
    load = function() end, wait = wait,
    read = function(s, g) return g[3], 0 end,
    charge = function() return 0 end,
    refund = function() end,
    save = function() return 0 end,
    blank = function() return {} end,
  }
end
`;

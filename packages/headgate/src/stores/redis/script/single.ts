/**
 * Decides a plain request that is alone in its call: each charge is one request, to a partition that is one exact
 * sliding window. It runs before the setup for other requests. It is not a function, because creating one takes time.
 * If it cannot admit the request, it rewrites it in the general form, and the rest of the script decides it from the
 * start.
 */
export const single = /* lua */ `
if isSingle then
  repeat
    local charges, given, a, missing = singles, message[1], 2, 0
    local now = given
    if given == 0 then
      local time = redis.call('TIME')
      local seconds, micros = time[1] * 1000, time[2] + 0
      now = seconds + floor(micros / 1000)
      out[1] = seconds * 1000 + micros
    end
    local values, write = redis.call('MGET', unpack(keys, 1, charges)), {}
    answered, out[2] = 2, 1
    local k = 1
    while k <= charges do
      local raw, key = values[k], keys[k]
      if raw and #raw > 28 * largestUsualQuota then break end
      for earlier = 1, k - 1 do
        if keys[earlier] == key then missing = charges + 1 end
      end
      local upto = a + 2 + message[a + 2]
      local value, endsAt, entry, offset = chargeOnly(raw, message[a], 1, message[a + 1], message, a + 3, upto, 1, now)
      if value == nil then break end
      if not raw then missing = missing + 1 end
      local w = 4 * k
      write[w - 3], write[w - 2], write[w - 1], write[w] = value, endsAt, entry, offset
      a, k = upto + 1, k + 1
    end
    if k <= charges or missing > charges then break end
    if missing > 0 and redis.call('EXISTS', unpack(keys, 1, charges)) > charges - missing then break end
    if looks and looks ~= '' then
      -- If the first key has no record of the attempt, none has one.
      if now % tidyEvery == 0 then break end
      local a = 2
      for k = 1, charges do
        local key, record = keys[charges + k], pack('<BI6BI5dd', 1, now, 1, message[a], 1, 0)
        if redis.call('HSETNX', key, looks, record) == 0 then
          out[2], out[3] = -3, 1
          for i = #out, 4, -1 do out[i] = nil end
          return out
        end
        redis.call('PEXPIRE', key, given > 0 and 3600000 or rememberedMs)
        a = a + 3 + message[a + 2]
      end
    end
    for k = 1, charges do
      local key, w = keys[k], 4 * k
      local value, offset = write[w - 3], write[w]
      if value then
        if given > 0 then redis.call('SET', key, value, 'PX', max(write[w - 2] - now, 3600000))
        else redis.call('SET', key, value, 'PXAT', write[w - 2]) end
      elseif offset then redis.call('SETRANGE', key, offset, write[w - 1])
      else redis.call('APPEND', key, write[w - 1]) end
    end
    return out
  until true
  -- Rewrites the request in the general form.
  for i = #out, 2, -1 do out[i] = nil end
  sets, q = {}, { 0, message[1], 1, singles }
  local a = 2
  for k = 1, singles do
    local g = { message[a], 1, message[a + 1] }
    for l = a + 3, a + 2 + message[a + 2] do g[#g + 1] = message[l] end
    sets[k], q[3 * k + 2], q[3 * k + 3], q[3 * k + 4] = { g }, k, 1, 1
    a = a + 3 + message[a + 2]
  end
end
`;

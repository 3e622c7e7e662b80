-- Puts one message into an inbox; the same id again changes nothing.
--
-- An inbox is a hash: an id leads to "changed created expires priority read dismissed JSON", "#" to the number
-- of the last change. It is a time in ms made to grow, so that it grows on when an inbox was gone meanwhile.
--
-- KEYS: the inbox. ARGV: now, most messages kept, channel of news, customer, id, expires, priority, JSON.
-- Returns 1, or 0 where the message is there already.
local inbox, now, most = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local id, expires = ARGV[5], tonumber(ARGV[6])
if redis.call('HEXISTS', inbox, id) == 1 then
  return 0
end
if redis.call('HLEN', inbox) > most then -- "#" is one of them
  local all, kept = redis.call('HGETALL', inbox), {}
  for i = 1, #all, 2 do
    local _, created, ends, _, read, dismissed = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (-?%d+) (%d+) (%d+) ')
    if created and tonumber(ends) <= now then
      redis.call('HDEL', inbox, all[i])
    elseif created then
      local rank = (dismissed ~= '0' and 0) or (read ~= '0' and 1) or 2
      kept[#kept + 1] = {all[i], rank, tonumber(created)}
    end
  end
  table.sort(kept, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    if a[3] ~= b[3] then return a[3] < b[3] end
    return a[1] < b[1]
  end)
  for i = 1, #kept - most + 1 do
    redis.call('HDEL', inbox, kept[i][1])
  end
end
local last = tonumber(redis.call('HGET', inbox, '#') or '0')
local changed = string.format('%.0f', math.max(now, last + 1))
local value = table.concat({changed, ARGV[1], ARGV[6], ARGV[7], '0', '0', ARGV[8]}, ' ')
redis.call('HSET', inbox, '#', changed, id, value)
-- GT alone would take a key that has no end yet for one that never ends.
if redis.call('PTTL', inbox) < 0 then
  redis.call('PEXPIREAT', inbox, ARGV[6])
else
  redis.call('PEXPIREAT', inbox, ARGV[6], 'GT')
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1

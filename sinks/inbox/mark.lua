-- Marks messages of an inbox as read, or as dismissed (which they then are as well as read); put.lua tells of
-- the form. What is marked already keeps its time; what is over or unknown is passed over.
--
-- KEYS: the inbox. ARGV: now, channel of news, customer, "read" or "dismissed", then ids; without ids: all.
-- Returns how many were found, and how many of them have changed.
local inbox, now, what = KEYS[1], tonumber(ARGV[1]), ARGV[4]
local ids = {}
if #ARGV > 4 then
  for i = 5, #ARGV do ids[#ids + 1] = ARGV[i] end
else
  ids = redis.call('HKEYS', inbox)
end
local last = tonumber(redis.call('HGET', inbox, '#') or '0')
local number = string.format('%.0f', math.max(now, last + 1))
local found, changed = 0, 0
for _, id in ipairs(ids) do
  local value = id ~= '#' and redis.call('HGET', inbox, id)
  local created, expires, priority, read, dismissed, body
  if value then
    created, expires, priority, read, dismissed, body =
      string.match(value, '^%d+ (%d+) (%d+) (-?%d+) (%d+) (%d+) (.*)$')
  end
  if created and tonumber(expires) > now then
    found = found + 1
    if (what == 'read' and read == '0') or (what == 'dismissed' and dismissed == '0') then
      changed = changed + 1
      if read == '0' then read = ARGV[1] end
      if what == 'dismissed' then dismissed = ARGV[1] end
      redis.call('HSET', inbox, id, table.concat({number, created, expires, priority, read, dismissed, body}, ' '))
    end
  end
end
if changed > 0 then
  redis.call('HSET', inbox, '#', number)
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return {found, changed}

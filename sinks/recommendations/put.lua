-- Keep what is known of customers whose profile is there, and drop what is known of others: who was erased, or
-- is about to be known, has none.
-- KEYS: profile and customer of each, one after the other; ARGV: what is to be kept of each.
local others = {}
for i = 1, #ARGV do
  if redis.call('EXISTS', KEYS[2 * i - 1]) == 1 then
    redis.call('SET', KEYS[2 * i], ARGV[i])
  else
    redis.call('DEL', KEYS[2 * i])
    table.insert(others, i)
  end
end
return others

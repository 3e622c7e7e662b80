-- Reads hashes and strings of one moment.
-- KEYS: of hashes, then of strings; ARGV: how many are of hashes.
-- Returns for each hash its fields and values, one after the other, and each string, nil where there is none.
local found, hashes = {}, tonumber(ARGV[1])
for i = 1, #KEYS do
  found[i] = redis.call(i <= hashes and 'HGETALL' or 'GET', KEYS[i])
end
return found

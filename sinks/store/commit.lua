-- One atomic, fenced commit of one partition (design, section 5; semantics P3, P4).
--
-- KEYS: head (hash), effects (stream), then one key for each document.
-- ARGV: epoch, position expected, number of head fields, the fields (name, value ...), number of pages,
--       the pages (id, first, decisions, effects ...), then one document for each key; an empty one deletes.
-- Returns "ok", or what the head says instead: nothing is written then.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'position')
if head[1] ~= ARGV[1] or (head[2] or '') ~= ARGV[2] then
  return {head[1] or '', head[2] or ''}
end
local at = 3
local fields = tonumber(ARGV[at])
for i = 1, fields do
  redis.call('HSET', KEYS[1], ARGV[at + 1], ARGV[at + 2])
  at = at + 2
end
at = at + 1
local pages = tonumber(ARGV[at])
for i = 1, pages do
  redis.call('XADD', KEYS[2], ARGV[at + 1], 'first', ARGV[at + 2], 'decisions', ARGV[at + 3],
    'effects', ARGV[at + 4])
  at = at + 4
end
for i = 3, #KEYS do
  at = at + 1
  if ARGV[at] == '' then
    redis.call('DEL', KEYS[i])
  else
    redis.call('SET', KEYS[i], ARGV[at])
  end
end
return 'ok'

"""The index's atomic steps, as the server runs them (Lua).

Arguments come as: how many lists there are, the length of each, then their values one after the other.

A **lane** is one partition of a source's topic; whoever reads it owns its lane. Both scripts refuse an owner
who is one no longer (``fenced``), and one whose last step the server does not have (``set back``).
"""

from __future__ import annotations

_LISTS = """
local lists, at = {}, tonumber(ARGV[1]) + 2
for i = 1, tonumber(ARGV[1]) do
  local list = {}
  for j = 1, tonumber(ARGV[i + 1]) do list[j] = ARGV[at]; at = at + 1 end
  lists[i] = list
end
"""

_OWNED = (
    _LISTS
    + """
local epoch, begins = lists[1][1], lists[1][2]
local lane = redis.call('HMGET', KEYS[1], 'epoch', 'next')
if lane[1] ~= epoch then return {'fenced', lane[1] or ''} end
if lane[2] ~= begins then return {'set back', lane[2] or ''} end
"""
)

# A batch goes on only if nothing that it has looked at was changed since, and nobody else is about to change
# it: rows that name their customer through another, and those others, are marked until the batch is applied.
# References and keys of customers go to whoever is first. All of it, or nothing. A mark stands before each
# value of these: '?' until its record is in the log, '=' from then on.
RESERVE = (
    _OWNED
    + """
local references, keys, rows, under, marks = lists[2], lists[3], lists[4], lists[5], lists[6]
for i = 1, #marks do
  local there = redis.call('GET', marks[i])
  if there and there ~= KEYS[1] then return {'busy', there} end
end
for i = 1, #rows, 2 do
  if (redis.call('GET', rows[i]) or '') ~= rows[i + 1] then return {'changed', rows[i]} end
end
local at = 1
while at <= #under do
  local set, count = under[at], tonumber(under[at + 1])
  if redis.call('SCARD', set) ~= count then return {'changed', set} end
  for i = at + 2, at + 1 + count do
    if redis.call('SISMEMBER', set, under[i]) == 0 then return {'changed', set} end
  end
  at = at + 2 + count
end
for i = 1, #references, 2 do
  local there, whose = redis.call('GET', references[i]), string.sub(references[i + 1], 1, 16)
  if there and string.sub(there, 2, 17) ~= whose then return {'changed', references[i]} end
end
for i = 1, #keys, 3 do
  local there = redis.call('HGET', keys[i], keys[i + 1])
  if there and string.sub(there, 2) ~= keys[i + 2] then return {'changed', keys[i]} end
end
for i = 1, #references, 2 do redis.call('SET', references[i], '?' .. references[i + 1], 'NX') end
for i = 1, #keys, 3 do redis.call('HSETNX', keys[i], keys[i + 1], '?' .. keys[i + 2]) end
for i = 1, #marks do
  redis.call('SET', marks[i], KEYS[1])
  redis.call('SADD', KEYS[3], marks[i])
end
return {'ok', ''}
"""
)

_UNMARK = """
for _, mark in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  if redis.call('GET', mark) == KEYS[1] then redis.call('DEL', mark) end
end
redis.call('DEL', KEYS[3])
"""

UNMARK = _UNMARK + "return {'ok', ''}"

# An entry among the newer stays undone where the server has one whose first 24 bytes are greater.
_WRITE = """
local function is_older(new, old)
  for at = 1, 24 do
    local a, b = string.byte(new, at), string.byte(old, at)
    if a ~= b then return a < b end
  end
  return false
end
local function write(set, newer, fields, add, remove, drop)
  for i = 1, #set, 2 do redis.call('SET', set[i], set[i + 1]) end
  for i = 1, #newer, 2 do
    local there = redis.call('GET', newer[i])
    if not there or not is_older(newer[i + 1], there) then redis.call('SET', newer[i], newer[i + 1]) end
  end
  for i = 1, #fields, 3 do redis.call('HSET', fields[i], fields[i + 1], fields[i + 2]) end
  for i = 1, #add, 2 do redis.call('SADD', add[i], add[i + 1]) end
  for i = 1, #remove, 2 do redis.call('SREM', remove[i], remove[i + 1]) end
  for i = 1, #drop do redis.call('DEL', drop[i]) end
end
"""

APPLY = (
    _OWNED
    + _WRITE
    + """
write(lists[2], lists[3], lists[4], lists[5], lists[6], lists[7])
redis.call('HSET', KEYS[1], 'next', lists[1][3], 'offset', lists[1][4], 'positions', lists[1][5],
           'at', lists[1][6])
redis.call('SET', KEYS[2], lists[1][6])
"""
    + _UNMARK
    + "return {'ok', ''}"
)

FILL = (
    _LISTS
    + _WRITE
    + """
write(lists[1], lists[2], lists[3], lists[4], lists[5], lists[6])
return {'ok', ''}
"""
)

"""The index's atomic steps, as the server runs them (Lua).

Arguments come as: the owner's name; how many lists there are, the length of each, then their values one after
the other. Keys: when somebody last wrote, the owner's marks, and the lanes of the batch.

A **lane** is one partition of a source's topic; whoever reads it owns its lane. `RESERVE` and `APPLY` refuse
an owner who has lost one of a batch's lanes (``fenced``), or whose last step the server does not have (``set
back``). What is filled from the log is refused where the lane for which it was read was claimed since, or
another life of the index has begun or ended (``other life``).
"""

from __future__ import annotations

_LISTS = """
local lists, at = {}, tonumber(ARGV[BEGIN]) + BEGIN + 1
for i = 1, tonumber(ARGV[BEGIN]) do
  local list = {}
  for j = 1, tonumber(ARGV[BEGIN + i]) do list[j] = ARGV[at]; at = at + 1 end
  lists[i] = list
end
"""

_OWNED = (
    "local BEGIN, owner = 2, ARGV[1]"
    + _LISTS
    + """
for i = 3, #KEYS do
  local epoch, begins = lists[1][2 * i - 5], lists[1][2 * i - 4]
  local lane = redis.call('HMGET', KEYS[i], 'epoch', 'next')
  if lane[1] ~= epoch then return {'fenced', KEYS[i]} end
  if lane[2] ~= begins then return {'set back', KEYS[i]} end
end
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
local identified, identifies = lists[7], lists[8]
for i = 1, #marks do
  local there = redis.call('GET', marks[i])
  if there and there ~= owner then return {'busy', there} end
end
for i = 1, #rows, 2 do
  if (redis.call('GET', rows[i]) or '') ~= rows[i + 1] then return {'changed', rows[i]} end
end
for i = 1, #identified, 2 do
  if (redis.call('GET', identified[i]) or '') ~= identified[i + 1] then return {'changed', identified[i]} end
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
for i = 1, #references, 3 do
  local there, whose = redis.call('GET', references[i]), string.sub(references[i + 1], 1, 16)
  if there and string.sub(there, 2, 17) ~= whose then return {'changed', references[i]} end
end
for i = 1, #keys, 3 do
  local there = redis.call('HGET', keys[i], keys[i + 1])
  if there and string.sub(there, 2) ~= keys[i + 2] then return {'changed', keys[i]} end
end
for i = 1, #references, 3 do
  redis.call('SET', references[i], '?' .. references[i + 1], 'NX')
  redis.call('SADD', references[i + 2], references[i])
end
for i = 1, #identifies do redis.call('SET', identifies[i], '1') end
for i = 1, #keys, 3 do redis.call('HSETNX', keys[i], keys[i + 1], '?' .. keys[i + 2]) end
for i = 1, #marks do
  redis.call('SET', marks[i], owner)
  redis.call('SADD', KEYS[2], marks[i])
end
for i = 3, #KEYS do redis.call('HSET', KEYS[i], 'by', owner) end
return {'ok', ''}
"""
)

# Nobody claims a lane while somebody has asked all of them to stand still. An epoch is never given out twice,
# also where the server has lost the last one: it is the time, in microseconds, or one more than the last.
CLAIM = """
local still = redis.call('GET', KEYS[2])
if still and still ~= ARGV[1] then return {'still', still} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') + 1
if epoch < now then epoch = now end
local said = string.format('%.0f', epoch)
redis.call('HSET', KEYS[1], 'epoch', said)
return {'ok', said}
"""

# Lanes stand still for somebody, so many milliseconds from now on; not while they do so for somebody else.
STAND_STILL = """
local still = redis.call('GET', KEYS[1])
if still and still ~= ARGV[1] then return {'still', still} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'ok', ''}
"""

GO_ON = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return {'ok', ''}"

# The index's life ends: who claims a lane from now on reads the log first. Keys: what the life is called, and
# lanes, with their epochs.
END_LIFE = """
for i = 2, #KEYS do
  if redis.call('HGET', KEYS[i], 'epoch') ~= ARGV[i - 1] then return {'fenced', KEYS[i]} end
end
redis.call('DEL', KEYS[1])
return {'ok', ''}
"""

_UNMARK = """
for _, mark in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if redis.call('GET', mark) == owner then redis.call('DEL', mark) end
end
redis.call('DEL', KEYS[2])
"""

# A lane was claimed and the index brought up to the log: only its newest claim may say so, and undo what its
# former owner had marked.
SETTLE = (
    """
local owner = ARGV[1]
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[2] then return {'fenced', KEYS[1]} end
redis.call('HSET', KEYS[1], 'next', ARGV[3], 'offset', ARGV[4], 'positions', ARGV[5], 'at', ARGV[6], 'by', '')
"""
    + _UNMARK
    + "return {'ok', ''}"
)

# An entry among the newer stays undone where the server has one whose first 24 bytes are greater; where they
# are equal, what became nobody's by an erasure stays so. (Bytes 25 to 40 of a row's entry are its customer.)
_WRITE = """
local NOBODY = string.rep('\\0', 16)
local function is_older(new, old)
  for at = 1, 24 do
    local a, b = string.byte(new, at), string.byte(old, at)
    if a ~= b then return a < b end
  end
  return #old == 80 and string.sub(old, 25, 40) == NOBODY
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
local stands = lists[8]
for i = 3, #KEYS do
  local at = 4 * (i - 3)
  redis.call('HSET', KEYS[i], 'next', stands[at + 1], 'offset', stands[at + 2], 'positions', stands[at + 3],
             'at', stands[at + 4], 'by', '')
  redis.call('SET', KEYS[1], stands[at + 4])
end
"""
    + _UNMARK
    + "return {'ok', ''}"
)

# Keys: the lane for which the log was read, and what the index's life is called; arguments: the lane's epoch,
# and what the life was called ("" for nothing).
_UNCHANGED = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return {'fenced', KEYS[1]} end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then return {'other life', KEYS[2]} end
"""

# A reference that is somebody else's by another record stays theirs, and its place in the list is returned:
# one of the two was erased, and who it is, is known at the end.
FILL = (
    _UNCHANGED
    + "local BEGIN = 3"
    + _LISTS
    + _WRITE
    + """
local references, said = lists[7], {'ok'}
for i = 1, #references, 2 do
  local there, whose = redis.call('GET', references[i]), string.sub(references[i + 1], 2, 17)
  if there and string.sub(there, 1, 1) == '=' and string.sub(there, 2, 17) ~= whose then
    said[#said + 1] = tostring((i - 1) / 2)
  else
    redis.call('SET', references[i], references[i + 1])
  end
end
write(lists[1], lists[2], lists[3], lists[4], lists[5], lists[6])
return said
"""
)

# All that the log says is there. Of who was erased only what was written since stays, and of some customers
# only the keys that were not forgotten. Keys: also how far erasures reach in each partition.
BEGIN_LIFE = (
    _UNCHANGED
    + "local life, prefix, BEGIN = ARGV[3], ARGV[4], 5"
    + _LISTS
    + _WRITE
    + """
for _, customer in ipairs(lists[1]) do
  local of = prefix .. 'of:' .. customer
  for _, reference in ipairs(redis.call('HKEYS', of)) do
    local place = prefix .. 'ref:' .. reference
    local there = redis.call('GET', place)
    if there and string.sub(there, 2, 17) == customer then redis.call('DEL', place) end
  end
  local wanted = prefix .. 'wanted:' .. customer
  for _, place in ipairs(redis.call('SMEMBERS', wanted)) do
    if string.sub(redis.call('GET', place) or '', 2, 17) == customer then redis.call('DEL', place) end
  end
  redis.call('DEL', of, wanted, prefix .. 'strong:' .. customer)
end
for _, customer in ipairs(lists[2]) do redis.call('DEL', prefix .. 'key:' .. customer) end
for i = 1, #lists[3], 2 do redis.call('HSET', KEYS[3], lists[3][i], lists[3][i + 1]) end
write(lists[4], lists[5], lists[6], lists[7], lists[8], lists[9])
redis.call('SET', KEYS[2], life)
return {'ok', ''}
"""
)

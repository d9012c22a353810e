-- Brings a copy from the version before to this one. Never creates: a session that was ended meanwhile stays ended.
-- KEYS[1] u, the user's gate   [2] s, the copy
-- ARGV[1] version that was committed   [2] number of fields set   [3…] field, value, …, then fields deleted
-- Clock   none   Returns 1 applied | 2 already in | 0 copy dropped or absent
local lineage = redis.call('HMGET', KEYS[1], 'n')[1]
local copy = redis.call('HMGET', KEYS[2], 'x', 'n', 'v')
if copy[1] or not lineage or copy[2] ~= lineage then
  -- A fill under way may carry the row as it was before: its lease ends here.
  if lineage then redis.call('HINCRBY', KEYS[1], 'g', 1) end
  return 0
end
local have, version = tonumber(copy[3]), tonumber(ARGV[1])
if have >= version then return 2 end
if have < version - 1 then
  redis.call('DEL', KEYS[2])
  redis.call('HINCRBY', KEYS[1], 'g', 1)
  return 0
end
local last = 2 + 2 * tonumber(ARGV[2])
redis.call('HSET', KEYS[2], 'v', version)
for i = 3, last, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
for i = last + 1, #ARGV do redis.call('HDEL', KEYS[2], ARGV[i]) end
return 1

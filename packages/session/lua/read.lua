-- Reads a copy, and is the only command of a request that finds one. Makes the gate where it is missing or of another era.
-- KEYS[1] u, the user's gate: hash n (lineage), g (gate), e (era)   [2] s, a copy: hash n, v, i, o, c, r, f:<name>, or x; absent: only a lease is wanted
-- ARGV[1] era of the asker   [2] fresh lineage   [3] lease, ms
-- Clock   redis, by key expiry   Returns {'HIT', n, g, pttl, fields} | {'DEAD'} | {'MISS', n, g}
local function grow (key, ms)
  local left = redis.call('PTTL', key)
  if left >= -1 and left < ms then redis.call('PEXPIRE', key, ms) end
end

local gate = redis.call('HMGET', KEYS[1], 'n', 'g', 'e')
local copy = KEYS[2] and redis.call('HMGET', KEYS[2], 'x', 'n') or {}
if copy[1] then return {'DEAD'} end
if not gate[1] or gate[3] ~= ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'n', ARGV[2], 'g', 0, 'e', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {'MISS', ARGV[2], '0'}
end
-- A copy counts only while its lineage is the gate's: deleting the gate ends all copies of the user.
if copy[2] ~= gate[1] then
  grow(KEYS[1], tonumber(ARGV[3]))
  return {'MISS', gate[1], gate[2]}
end
return {'HIT', gate[1], gate[2], redis.call('PTTL', KEYS[2]), redis.call('HGETALL', KEYS[2])}

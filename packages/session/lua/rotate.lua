-- Drops the copy of a superseded id, and stores that of its successor if the lease still holds.
-- KEYS[1] u, the user's gate   [2] s, the old copy   [3] s, the new one
-- ARGV[1] n and [2] g of the lease   [3] version of the new row   [4] what it has left, ms   [5…] field, value, …
-- Clock   redis, by key expiry   Returns 1 the new one is stored | 0 it is not; the old one is gone in any case
local function grow (key, ms)
  local left = redis.call('PTTL', key)
  if left >= -1 and left < ms then redis.call('PEXPIRE', key, ms) end
end

local gate = redis.call('HMGET', KEYS[1], 'n', 'g')
if redis.call('HEXISTS', KEYS[2], 'x') == 0 then redis.call('DEL', KEYS[2]) end
if not gate[1] then return 0 end
local stored, ttl = 0, tonumber(ARGV[4])
if gate[1] == ARGV[1] and gate[2] == ARGV[2] and ttl > 0 and redis.call('HEXISTS', KEYS[3], 'x') == 0 then
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], 'n', gate[1], 'v', ARGV[3])
  if ARGV[5] then redis.call('HSET', KEYS[3], unpack(ARGV, 5)) end
  redis.call('PEXPIRE', KEYS[3], ttl)
  grow(KEYS[1], ttl)
  stored = 1
end
redis.call('HINCRBY', KEYS[1], 'g', 1)
return stored

-- Ends the victims of a login, and stores the copy of the new row if the lease still holds.
-- KEYS[1] u, the user's gate   [2] s, the new copy   [3…] s of the victims
-- ARGV[1] n and [2] g of the lease   [3] version of the row   [4] what the row has left, ms   [5] how long a victim is remembered, ms   [6…] field, value, …
-- Clock   redis, by key expiry   Returns 1 stored | 0 only the victims were ended
local function grow (key, ms)
  local left = redis.call('PTTL', key)
  if left >= -1 and left < ms then redis.call('PEXPIRE', key, ms) end
end

for i = 3, #KEYS do
  redis.call('DEL', KEYS[i])
  redis.call('HSET', KEYS[i], 'x', 1)
  redis.call('PEXPIRE', KEYS[i], ARGV[5])
end
local gate = redis.call('HMGET', KEYS[1], 'n', 'g')
if not gate[1] then return 0 end
local stored, ttl = 0, tonumber(ARGV[4])
if gate[1] == ARGV[1] and gate[2] == ARGV[2] and ttl > 0 and redis.call('HEXISTS', KEYS[2], 'x') == 0 then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'n', gate[1], 'v', ARGV[3])
  if ARGV[6] then redis.call('HSET', KEYS[2], unpack(ARGV, 6)) end
  redis.call('PEXPIRE', KEYS[2], ttl)
  grow(KEYS[1], ttl)
  stored = 1
end
redis.call('HINCRBY', KEYS[1], 'g', 1)
return stored

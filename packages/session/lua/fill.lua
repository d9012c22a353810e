-- Stores a copy of a durable row, if nothing has happened to the user since the lease was taken.
-- KEYS[1] u, the user's gate   [2] s, the copy
-- ARGV[1] n and [2] g of the lease   [3] version of the row   [4] what the row has left, ms   [5…] field, value, …
-- Clock   redis, by key expiry   Returns 1 stored | 0 refused | 2 as new a copy is there
local function grow (key, ms)
  local left = redis.call('PTTL', key)
  if left >= -1 and left < ms then redis.call('PEXPIRE', key, ms) end
end

local gate = redis.call('HMGET', KEYS[1], 'n', 'g')
local ttl = tonumber(ARGV[4])
if gate[1] ~= ARGV[1] or gate[2] ~= ARGV[2] or ttl < 1 then return 0 end
local copy = redis.call('HMGET', KEYS[2], 'x', 'n', 'v', 'w')
if copy[1] then return 0 end
-- One with changes of its own (w) is as new as any.
if copy[2] == gate[1] and (copy[4] or tonumber(copy[3]) >= tonumber(ARGV[3])) then return 2 end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'n', gate[1], 'v', ARGV[3])
if ARGV[5] then redis.call('HSET', KEYS[2], unpack(ARGV, 5)) end
redis.call('PEXPIRE', KEYS[2], ttl)
grow(KEYS[1], ttl)
return 1

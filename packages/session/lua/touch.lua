-- Prolongs an existing copy after its row was prolonged, and marks it. Never creates.
-- KEYS[1] u, the user's gate   [2] s, the copy
-- ARGV[1] what the row has left, ms   [2…] field, value, … (c: the absolute end is reached, no more touches; r: rotation is due)
-- Clock   redis, by key expiry   Returns 1 prolonged | 0 there is none
local function grow (key, ms)
  local left = redis.call('PTTL', key)
  if left >= -1 and left < ms then redis.call('PEXPIRE', key, ms) end
end

local lineage = redis.call('HMGET', KEYS[1], 'n')[1]
local copy = redis.call('HMGET', KEYS[2], 'x', 'n')
if copy[1] or not lineage or copy[2] ~= lineage then return 0 end
if ARGV[2] then redis.call('HSET', KEYS[2], unpack(ARGV, 2)) end
grow(KEYS[2], tonumber(ARGV[1]))
grow(KEYS[1], tonumber(ARGV[1]))
return 1

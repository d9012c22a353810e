-- Stores an entry, whoever fills it meanwhile. Twin of MemoryStore.put.
-- KEYS[1] val, string   [2] lease, string
-- ARGV[1] record, its soft expiry not yet written   [2] soft expiry, ms from now   [3] hard expiry, ms from now
-- Clock   redis TIME   Returns 1
local t = redis.call('TIME')
local soft = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[2]
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SETRANGE', KEYS[1], 13, string.format('%013.0f', soft))
redis.call('DEL', KEYS[2])
return 1

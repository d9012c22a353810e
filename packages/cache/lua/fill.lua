-- Stores an entry if its lease still stands. Twin of MemoryStore.fill.
-- KEYS[1] val, string   [2] lease, string
-- ARGV[1] token   [2] record, its soft expiry not yet written   [3] soft expiry, ms from now   [4] hard expiry, ms from now
--      [5] on refusal: 'drop' (both keys go) | 'leave'
-- Clock   redis TIME   Returns 1 stored | 0 refused
if redis.call('GET', KEYS[2]) ~= 'T:' .. ARGV[1] then
  if ARGV[5] == 'drop' then redis.call('DEL', KEYS[1], KEYS[2]) end
  return 0
end
local t = redis.call('TIME')
local soft = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[3]
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
redis.call('SETRANGE', KEYS[1], 13, string.format('%013.0f', soft))
redis.call('DEL', KEYS[2])
return 1

-- Gives a tag a new nonce, and says where on the clock that was; a tag of another clock, or of none, is unvouched ('!'). With tick, which goes before, the twin of MemoryStore.bump.
-- KEYS[1] tag, hash: nonce, g, s
-- ARGV[1] nonce   [2] generation of the tick   [3] counter of the tick   [4] how long the record is to live, ms
-- Clock   none   Returns 1
local r = redis.call('HMGET', KEYS[1], 'g', 's')
if r[1] == ARGV[2] then
  redis.call('HSET', KEYS[1], 'nonce', ARGV[1], 's', math.max(tonumber(r[2]) or 0, tonumber(ARGV[3])))
else
  redis.call('HSET', KEYS[1], 'nonce', ARGV[1], 'g', '!', 's', 0)
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return 1

-- Notes metrics that are counted, so that all of them can be found; those not noted for long go, and of too many the oldest.
-- KEYS[1] names, zset
-- ARGV[1] ms to keep a name  [2] the most names kept  [3…] names
-- Clock   redis TIME. Returns how many there are

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 3, #ARGV do
  redis.call('ZADD', KEYS[1], nowMs, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', nowMs - tonumber(ARGV[1]))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('ZCARD', KEYS[1])

-- Remembers for a while that the durable store does not hold this hash alive, so that asking again costs it nothing.
-- KEYS[1] s, the copy's key
-- ARGV[1] how long, ms
-- Clock   redis, by key expiry   Returns 1
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'x', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1

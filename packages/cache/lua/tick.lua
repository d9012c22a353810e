-- Moves a namespace's clock of bumps by one. With bump, which follows it, the twin of MemoryStore.bump.
-- KEYS[1] clk, hash: g, s
-- ARGV[1] generation, should the clock be new   [2] how long it is to live from now, ms
-- Clock   none   Returns {generation, counter}
redis.call('HSETNX', KEYS[1], 'g', ARGV[1])
local s = redis.call('HINCRBY', KEYS[1], 's', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { redis.call('HGET', KEYS[1], 'g'), s }

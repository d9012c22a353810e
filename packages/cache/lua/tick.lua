-- Moves a namespace's clock of bumps by one.
-- KEYS[1] clk, hash: g, s
-- ARGV[1] generation, should the clock be new
-- Clock   none   Returns {generation, counter}
redis.call('HSETNX', KEYS[1], 'g', ARGV[1])
local s = redis.call('HINCRBY', KEYS[1], 's', 1)
return { redis.call('HGET', KEYS[1], 'g'), s }

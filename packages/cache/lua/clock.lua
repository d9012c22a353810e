-- Reads a namespace's clock of bumps; one that is not there is made, so that a lost one is never taken for one that has not moved. Twin of MemoryStore.clock.
-- KEYS[1] clk, hash: g, s
-- ARGV[1] generation, should the clock be new   [2] how long it is to live then, ms
-- Clock   none
-- Returns {generation, counter}
local r = redis.call('HMGET', KEYS[1], 'g', 's')
if r[1] then return { r[1], tonumber(r[2]) or 0 } end
redis.call('HSET', KEYS[1], 'g', ARGV[1], 's', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { ARGV[1], 0 }

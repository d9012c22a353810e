-- Prolongs a session. Never creates.
-- KEYS[1] ledger   [2] data (see read.lua)
-- ARGV[1] era, or empty: any   [2] hash   [3] idle, ms; a remembered session has its own
-- Clock   redis TIME   Returns {left, capped 0|1, age of the hash}, ms | {}: it has ended, or is superseded
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'e', 'r:' .. ARGV[2])
if not known[2] or (ARGV[1] ~= '' and known[1] ~= ARGV[1]) then return {} end
local row = cjson.decode(known[2])
if row.x or row.d <= now or redis.call('EXISTS', KEYS[2]) == 0 then return {} end
row.d = math.min(now + (row.m or tonumber(ARGV[3])), row.z)
local left = row.d - now
redis.call('HSET', KEYS[1], 'r:' .. ARGV[2], cjson.encode(row))
redis.call('PEXPIRE', KEYS[2], left)
if redis.call('PTTL', KEYS[1]) < left then redis.call('PEXPIRE', KEYS[1], left) end
return {left, row.d >= row.z and 1 or 0, now - row.s}

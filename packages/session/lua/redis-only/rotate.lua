-- Gives a session a new hash, and its old one an end. The data moves: it is under one key only.
-- KEYS[1] ledger   [2] data under the old hash   [3] data under the new one (see read.lua)
-- ARGV[1] era, or empty: any   [2] the latest time at which this may run, ms   [3] old hash   [4] new hash   [5] grace, ms   [6] how long the old one is known, ms
-- Clock   redis TIME   Returns 1 | 0: superseded already, not alive, or too late; nothing has changed
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ledger = KEYS[1]
-- Its caller goes on under the old one.
if now > tonumber(ARGV[2]) then return 0 end
local known = redis.call('HMGET', ledger, 'e', 'r:' .. ARGV[3])
if not known[2] or (ARGV[1] ~= '' and known[1] ~= ARGV[1]) then return 0 end
local row = cjson.decode(known[2])
if row.x or row.d <= now or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end

-- The first write is one that a full server refuses: so either all of it is done, or nothing.
redis.call('HINCRBY', KEYS[2], 'v', 1)
redis.call('RENAME', KEYS[2], KEYS[3])
local next = {i = row.i, q = row.q, c = row.c, s = now, d = row.d, z = row.z, m = row.m}
row.x = ARGV[4]
row.d = math.min(row.d, now + tonumber(ARGV[5]))
row.f = math.min(row.z, now + tonumber(ARGV[6]))
redis.call('HSET', ledger, 'r:' .. ARGV[3], cjson.encode(row), 'r:' .. ARGV[4], cjson.encode(next))
local flat = redis.call('HGETALL', ledger)
for i = 1, #flat, 2 do
  if string.sub(flat[i], 1, 2) == 'r:' then
    local old = cjson.decode(flat[i + 1])
    if (old.f or old.d) <= now then redis.call('HDEL', ledger, flat[i]) end
  end
end
return 1

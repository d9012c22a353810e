-- Writes what a request has changed. Never creates: what has ended meanwhile stays so.
-- KEYS[1] ledger   [2] data (see read.lua)
-- ARGV[1] era, or empty: any   [2] hash   [3] merge | last-wins | compare-and-set   [4] version that was loaded   [5] most bytes
--   [6] number of fields set   [7…] name, JSON, …, then names of fields deleted
-- Clock   redis TIME   Returns {'SAVED', version} | {'NEXT', hash}: superseded | {'GONE'} | {'CONFLICT'} | {'LARGE', bytes}: nothing is written
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ledger, data = KEYS[1], KEYS[2]
local known = redis.call('HMGET', ledger, 'e', 'r:' .. ARGV[2])
if not known[2] or (ARGV[1] ~= '' and known[1] ~= ARGV[1]) then return {'GONE'} end
local row = cjson.decode(known[2])
-- Also past its grace: the request that read it was admitted before.
if row.x then return {'NEXT', row.x} end
if row.d <= now then return {'GONE'} end
local have = redis.call('HMGET', data, 'v', 'b')
if not have[1] then return {'GONE'} end
if ARGV[3] == 'compare-and-set' and have[1] ~= ARGV[4] then return {'CONFLICT'} end

local all = ARGV[3] == 'last-wins'
-- As JSON: two braces, and for each field its name, its value, two quotes, a colon and a comma.
local bytes = all and 2 or tonumber(have[2])
local last = 6 + 2 * tonumber(ARGV[6])
local function without (name)
  local field = 'f:' .. name
  if not all and redis.call('HEXISTS', data, field) == 1 then bytes = bytes - #name - redis.call('HSTRLEN', data, field) - 4 end
end
for i = last + 1, #ARGV do without(ARGV[i]) end
for i = 7, last, 2 do
  without(ARGV[i])
  bytes = bytes + #ARGV[i] + #ARGV[i + 1] + 4
end
if bytes > tonumber(ARGV[5]) then return {'LARGE', bytes} end

-- The first write is one that a full server refuses: so either all of it is done, or nothing.
local version = redis.call('HINCRBY', data, 'v', 1)
if all then
  for _, field in ipairs(redis.call('HKEYS', data)) do
    if string.sub(field, 1, 2) == 'f:' then redis.call('HDEL', data, field) end
  end
end
for i = last + 1, #ARGV do redis.call('HDEL', data, 'f:' .. ARGV[i]) end
for i = 7, last, 2 do redis.call('HSET', data, 'f:' .. ARGV[i], ARGV[i + 1]) end
redis.call('HSET', data, 'b', bytes)
return {'SAVED', version}

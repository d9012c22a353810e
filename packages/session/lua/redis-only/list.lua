-- Lists the sessions of a user that are alive.
-- KEYS[1] ledger (see read.lua)
-- ARGV[1] era, or empty: any
-- Clock   redis TIME   Returns {user id, now, hash, row as JSON, …}, or {} where there is none
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'e', 'u')
if not known[2] or (ARGV[1] ~= '' and known[1] ~= ARGV[1]) then return {} end
local listed = {known[2], now}
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  if string.sub(flat[i], 1, 2) == 'r:' then
    local row = cjson.decode(flat[i + 1])
    if not row.x and row.d > now then
      listed[#listed + 1] = string.sub(flat[i], 3)
      listed[#listed + 1] = flat[i + 1]
    end
  end
end
return listed

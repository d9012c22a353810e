-- Ends sessions of a user, of whatever era: what is not in the ledger any more has ended.
-- KEYS[1] ledger (see read.lua)
-- ARGV[1] only this public id, or empty   [2] all but this one, or empty
-- Clock   redis TIME   Returns {user id or false, public ids of the live ones that it ended, hash, public id, … of all rows that are gone}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local user = redis.call('HGET', KEYS[1], 'u')
local flat = redis.call('HGETALL', KEYS[1])
local ended, gone, rest = {}, {}, 0
for i = 1, #flat, 2 do
  if string.sub(flat[i], 1, 2) == 'r:' then
    local row = cjson.decode(flat[i + 1])
    if (ARGV[1] == '' or row.i == ARGV[1]) and (ARGV[2] == '' or row.i ~= ARGV[2]) then
      redis.call('HDEL', KEYS[1], flat[i])
      gone[#gone + 1] = string.sub(flat[i], 3)
      gone[#gone + 1] = row.i
      if not row.x and row.d > now then ended[#ended + 1] = row.i end
    else
      rest = rest + 1
    end
  end
end
if rest == 0 then redis.call('DEL', KEYS[1]) end
return {user, ended, gone}

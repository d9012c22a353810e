-- Makes a session, and ends those of the user that it leaves no room for, or refuses it. Whose row is not in the ledger any more has ended.
-- KEYS[1] ledger (see read.lua)   [2] data of the new session
-- ARGV[1] era, or empty: any   [2] the latest time at which this may run, ms   [3] hash   [4] public id   [5] owner   [6] user id, empty: a visitor
--   [7] idle, ms   [8] absolute, ms   [9] most sessions   [10] replace | evict-oldest | reject   [11] public id that ends with it, or empty
--   [12] bytes of the data   [13] 1: it keeps its idle time, whatever a touch says   [14…] f:<name>, value, …
-- Clock   redis TIME   Returns {'MADE', public ids that it ended, hash, public id, … of rows that are gone} | {'LIMIT', how many there are} | {'LATE'}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ledger, data, era, sid, replaces = KEYS[1], KEYS[2], ARGV[1], ARGV[4], ARGV[11]
-- Its caller has been told that it failed.
if now > tonumber(ARGV[2]) then return {'LATE'} end

local known = redis.call('HMGET', ledger, 'e', 'o')
local sameEra = known[2] and (era == '' or known[1] == era)
local rows, alive, ids = {}, {}, {}
local flat = redis.call('HGETALL', ledger)
for i = 1, #flat, 2 do
  if string.sub(flat[i], 1, 2) == 'r:' then
    local row = cjson.decode(flat[i + 1])
    row.hash = string.sub(flat[i], 3)
    rows[#rows + 1] = row
    if sameEra and not row.x and row.d > now then alive[#alive + 1] = row end
  end
end
table.sort(alive, function (a, b) return a.q < b.q end)

local others, victims, ended = {}, {}, {}
for _, row in ipairs(alive) do
  if row.i == replaces then
    victims[row.i] = true
    ended[#ended + 1] = row.i
  else
    others[#others + 1] = row.i
  end
end
local excess = ARGV[10] == 'replace' and #others or #others - tonumber(ARGV[9]) + 1
if excess > 0 and ARGV[10] == 'reject' then return {'LIMIT', #others} end
for i = 1, excess do
  victims[others[i]] = true
  ended[#ended + 1] = others[i]
end

-- The first write is one that a full server refuses: so either all of it is done, or nothing.
local left = math.min(tonumber(ARGV[7]), tonumber(ARGV[8]))
redis.call('HSET', data, 'v', 1, 'b', ARGV[12])
for i = 14, #ARGV, 2 do redis.call('HSET', data, ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', data, left)
local gone = {}
for _, row in ipairs(rows) do
  if not sameEra or victims[row.i] or (row.f or row.d) <= now then
    redis.call('HDEL', ledger, 'r:' .. row.hash)
    gone[#gone + 1] = row.hash
    gone[#gone + 1] = row.i
  end
end
local order = redis.call('HINCRBY', ledger, 'q', 1)
local row = {i = sid, q = order, c = now, s = now, d = now + left, z = now + tonumber(ARGV[8]), m = ARGV[13] == '1' and tonumber(ARGV[7]) or nil}
redis.call('HSET', ledger, 'e', sameEra and known[1] or era, 'o', ARGV[5], 'u', ARGV[6], 'r:' .. ARGV[3], cjson.encode(row))
local expiry = redis.call('PTTL', ledger)
if expiry < left then redis.call('PEXPIRE', ledger, left) end
return {'MADE', ended, gone}

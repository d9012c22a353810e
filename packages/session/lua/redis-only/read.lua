-- Reads sessions. Only what stands in its user's ledger is alive: a lost ledger ends all sessions of the user. Writes nothing.
-- KEYS[2i - 1] ledger: hash e (era), o (owner), u (user id), q (count of log-ins), r:<hash> (a row as JSON: i public id, q order of the log-in,
--   c log-in, s issue, d idle end, z absolute end, m idle time of a remembered one, ms; x successor, f when it is forgotten)   [2i] data: hash v (version), b (bytes), f:<name>
-- ARGV[2i - 1] era of the asker, or empty: any   [2i] hash
-- Clock   redis TIME   Returns for each {'LIVE', id, user, left, capped, age of the log-in, age of the hash, data, idle time of a remembered one or 0, left to the absolute end} | {'NEXT', hash}: superseded, in its grace
--   | {'REUSE', id, owner}: superseded, and its grace is over | {'DEAD'} | {'ERROR', why}: what lies there is not ours
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function read (ledger, data, era, hash)
  local known = redis.pcall('HMGET', ledger, 'e', 'o', 'u', 'r:' .. hash)
  if known.err then return {'ERROR', known.err} end
  if not known[4] or (era ~= '' and known[1] ~= era) then return {'DEAD'} end
  local row = cjson.decode(known[4])
  if row.x then
    if row.d > now then return {'NEXT', row.x} end
    return row.f > now and {'REUSE', row.i, known[2]} or {'DEAD'}
  end
  if row.d <= now then return {'DEAD'} end
  local fields = redis.pcall('HGETALL', data)
  if fields.err then return {'ERROR', fields.err} end
  if #fields == 0 then return {'DEAD'} end
  return {'LIVE', row.i, known[3], row.d - now, row.d >= row.z and 1 or 0, now - row.c, now - row.s, fields, row.m or 0, row.z - now}
end

local replies = {}
for i = 1, #KEYS, 2 do replies[(i + 1) / 2] = read(KEYS[i], KEYS[i + 1], ARGV[i], ARGV[i + 1]) end
return replies

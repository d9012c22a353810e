-- Asks for an entry and, where it is missing or stale, for the right to fill it. Twin of MemoryStore.read, with a lease.
-- KEYS[1] val, string   [2] lease, string
-- ARGV[1] token   [2] lease, ms   [3] id of a record the caller has seen to be dead, or ''   [4] token the caller waited for, or ''
-- Clock   redis TIME
-- Returns {'HIT', '', ms left, record} | {'STALE' | 'MISS', 'LEASED', 0, record or '', ms past} | {'STALE' | 'MISS', 'WAIT', holder, record or '', ms past};
--         what was softened is 0 ms past
--         | {'FAILED'} | {'SKIPPED'} | {'FOREIGN'} for a record of another release, which is kept
local record = redis.call('GET', KEYS[1])
if record and record ~= '' and string.byte(record, 1) ~= 1 then return { 'FOREIGN' } end
if record and ARGV[3] ~= '' and string.sub(record, 2, 13) == ARGV[3] then record = false end
local past = 0
if record then
  local soft = tonumber(string.sub(record, 14, 26)) or 0
  local t = redis.call('TIME')
  local left = soft - (t[1] * 1000 + math.floor(t[2] / 1000))
  if left > 0 then return { 'HIT', '', left, record } end
  if soft > 0 then past = -left end
end
local lease = redis.call('GET', KEYS[2])
if lease and ARGV[4] ~= '' then
  if lease == 'F:' .. ARGV[4] then return { 'FAILED' } end
  if lease == 'S:' .. ARGV[4] then return { 'SKIPPED' } end
end
local state = record and 'STALE' or 'MISS'
if lease and string.sub(lease, 1, 2) == 'T:' and lease ~= 'T:' .. ARGV[1] then
  return { state, 'WAIT', string.sub(lease, 3), record or '', past }
end
redis.call('SET', KEYS[2], 'T:' .. ARGV[1], 'PX', ARGV[2])
return { state, 'LEASED', 0, record or '', past }

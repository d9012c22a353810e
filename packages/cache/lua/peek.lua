-- Asks for an entry and takes no lease. Twin of MemoryStore.read, without a lease.
-- KEYS[1] val, string   ARGV none
-- Clock   redis TIME
-- Returns {'HIT' | 'STALE', '', ms left or 0, record} | {'MISS', '', 0, ''} | {'FOREIGN'} for a record of another release
local record = redis.call('GET', KEYS[1])
if not record then return { 'MISS', '', 0, '' } end
if record ~= '' and string.byte(record, 1) ~= 1 then return { 'FOREIGN' } end
local t = redis.call('TIME')
local left = (tonumber(string.sub(record, 14, 26)) or 0) - (t[1] * 1000 + math.floor(t[2] / 1000))
if left > 0 then return { 'HIT', '', left, record } end
return { 'STALE', '', 0, record }

-- Ends an entry's freshness and keeps it as stale; ends the lease, so that an older fill is not answered as fresh. A record of another release goes, for its layout is not known. Twin of MemoryStore.soften.
-- KEYS[1] val, string   [2] lease, string   ARGV none
-- Clock   none   Returns the number of entries that were softened, or went: 0 | 1
redis.call('DEL', KEYS[2])
local version = redis.call('GETRANGE', KEYS[1], 0, 0)
if version == '' then return 0 end
if string.byte(version, 1) ~= 1 then return redis.call('DEL', KEYS[1]) end
redis.call('SETRANGE', KEYS[1], 13, '0000000000000')
return 1

-- Drops a record that cannot be read, unless another has taken its place. Twin of MemoryStore.discard.
-- KEYS[1] val, string
-- ARGV[1] id of the record, as many of its 12 bytes as it has
-- Clock   none   Returns 1 dropped | 0 kept
local record = redis.call('GET', KEYS[1])
if not record or string.sub(record, 2, 13) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])

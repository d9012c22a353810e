-- Takes the lease of a key for a write to the source, whoever fills it: an older fill is refused. Twin of MemoryStore.open.
-- KEYS[1] lease, string
-- ARGV[1] token   [2] lease, ms
-- Clock   none   Returns 1
redis.call('SET', KEYS[1], 'T:' .. ARGV[1], 'PX', ARGV[2])
return 1

-- Drops an entry and the lease of whoever fills it, so that the fill is refused. Twin of MemoryStore.drop.
-- KEYS[1] val, string   [2] lease, string   ARGV none
-- Clock   none   Returns the number of entries that went: 0 | 1
redis.call('DEL', KEYS[2])
return redis.call('DEL', KEYS[1])

-- Gives a namespace a nonce if it has none. Twin of MemoryStore.mint, for the namespace.
-- KEYS[1] ns, string
-- ARGV[1] nonce   [2] how long the record is to live, ms
-- Clock   none   Returns the nonce that is there
local nonce = redis.call('GET', KEYS[1])
if nonce then return nonce end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]

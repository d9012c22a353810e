-- Gives a tag a nonce if it has none; until a bump or a vouch it is unvouched ('!'). Twin of MemoryStore.mint, for a tag.
-- KEYS[1] tag, hash: nonce, g, s
-- ARGV[1] nonce   [2] how long the record is to live, ms
-- Clock   none   Returns the nonce that is there
local nonce = redis.call('HGET', KEYS[1], 'nonce')
if nonce then return nonce end
redis.call('HSET', KEYS[1], 'nonce', ARGV[1], 'g', '!', 's', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return ARGV[1]

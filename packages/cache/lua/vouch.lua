-- Says of a tag's nonce that it was in place when the clock stood there, so that later fills need to read the tag alone. Twin of MemoryStore.vouch.
-- KEYS[1] tag, hash: nonce, g, s
-- ARGV[1] nonce   [2] generation of the clock   [3] its counter
-- Clock   none   Returns 1 vouched | 0 another nonce has taken its place
if redis.call('HGET', KEYS[1], 'nonce') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'g', ARGV[2], 's', ARGV[3])
return 1

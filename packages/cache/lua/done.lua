-- Ends a lease without an entry. Twin of MemoryStore.done.
-- KEYS[1] lease, string
-- ARGV[1] token   [2] 'F' the factory failed | 'S' it skipped | '-' plain release   [3] how long the mark stays, ms
-- Clock   none   Returns 1 when the lease stood, else 0
if redis.call('GET', KEYS[1]) ~= 'T:' .. ARGV[1] then return 0 end
if ARGV[2] == '-' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2] .. ':' .. ARGV[1], 'PX', ARGV[3])
end
return 1

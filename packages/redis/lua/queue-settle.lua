-- Takes a job that is done off the queue, unless another worker has taken it over. Twin of `settle` of queues/memory-jobs.ts
-- KEYS[1] queue, stream   ARGV[1] worker  [2] job's id  [3] ms to keep the key from now on
-- Returns 1, or 0 when it is another's or nobody's
if #redis.call('XPENDING', KEYS[1], 'workers', ARGV[2], ARGV[2], 1, ARGV[1]) == 0 then
  return 0
end
redis.call('XACK', KEYS[1], 'workers', ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1

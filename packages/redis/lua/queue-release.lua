-- Lets others have a job at once, as if it had not been tried this time, unless another worker has it already. Twin of `release` of queues/memory-jobs.ts
-- KEYS[1] queue, stream   ARGV[1] worker  [2] job's id  [3] lease, ms
-- Returns 1, or 0 when it is another's or nobody's
local pending = redis.call('XPENDING', KEYS[1], 'workers', ARGV[2], ARGV[2], 1, ARGV[1])[1]
if not pending then
  return 0
end
redis.call('XCLAIM', KEYS[1], 'workers', ARGV[1], 0, ARGV[2], 'IDLE', ARGV[3], 'RETRYCOUNT', math.max(0, pending[4] - 1), 'JUSTID')
return 1

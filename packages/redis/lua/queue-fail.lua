-- Gives up a job that was tried often enough, or lets it be tried again in a while, unless another worker has taken it over. Twin of `fail` of queues/memory-jobs.ts
-- KEYS[1] queue, stream  [2] dead letters, stream   ARGV[1] worker  [2] job's id  [3] why  [4] tries  [5] lease, ms  [6] ms before the second try, doubling
-- [7] most dead letters  [8] ms to keep the keys from now on   Returns 'taken', 'retried' or 'dead'
local pending = redis.call('XPENDING', KEYS[1], 'workers', ARGV[2], ARGV[2], 1, ARGV[1])[1]
if not pending then
  return 'taken'
end
local tries = pending[4]
redis.call('PEXPIRE', KEYS[1], ARGV[8])
if tries < tonumber(ARGV[4]) then
  local wait_ms = math.min(tonumber(ARGV[5]), tonumber(ARGV[6]) * 2 ^ (tries - 1))
  -- Whoever was silent for a lease loses a job: this one has been silent for all of it but the wait.
  redis.call('XCLAIM', KEYS[1], 'workers', ARGV[1], 0, ARGV[2], 'IDLE', string.format('%d', ARGV[5] - wait_ms), 'JUSTID')
  return 'retried'
end
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if entry then
  redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[7], '*', 'm', entry[2][2], 'tries', tries, 'why', ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[8])
end
redis.call('XACK', KEYS[1], 'workers', ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
return 'dead'

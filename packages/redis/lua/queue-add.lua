-- Adds a job to a queue that is not full. Twin of `add` of queues/memory-jobs.ts
-- KEYS[1] queue, stream   ARGV[1] job  [2] most jobs that wait or are at work  [3] ms to keep the key from now on
-- Returns the job's id, or nil when the queue is full
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[2]) then
  return false
end
local id = redis.call('XADD', KEYS[1], '*', 'm', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return id

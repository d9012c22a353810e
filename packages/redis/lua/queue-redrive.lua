-- Puts dead letters back on the queue as new jobs, as long as it is not full. Twin of `redrive` of queues/memory-jobs.ts
-- KEYS[1] queue, stream  [2] dead letters, stream   ARGV[1] most jobs that wait or are at work  [2] ms to keep the queue from now on  [3] and more: letters' ids
-- Returns how many were put back
local moved = 0
for i = 3, #ARGV do
  local entry = redis.call('XRANGE', KEYS[2], ARGV[i], ARGV[i])[1]
  if entry and redis.call('XLEN', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('XADD', KEYS[1], '*', 'm', entry[2][2])
    redis.call('XDEL', KEYS[2], ARGV[i])
    moved = moved + 1
  end
end
if moved > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return moved

-- Forgets a worker who has no job any more.
-- KEYS[1] queue, stream   ARGV[1] worker
-- Returns 1, or 0 when it still has some
if #redis.call('XPENDING', KEYS[1], 'workers', '-', '+', 1, ARGV[1]) > 0 then
  return 0
end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'workers', ARGV[1])
return 1

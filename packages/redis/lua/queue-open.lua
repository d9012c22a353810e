-- Makes the consumer group of a queue where there is none.
-- KEYS[1] queue, stream   ARGV[1] ms to keep the key from now on
-- Returns 1 if it was made, else 0
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], 'workers', '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
  return made
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return made.err and 0 or 1

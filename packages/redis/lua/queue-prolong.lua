-- Says that jobs are still being worked on.
-- KEYS[1] queue, stream   ARGV[1] worker  [2] and more: jobs' ids
-- Returns the ids that are another's or nobody's by now
local lost = {}
for i = 2, #ARGV do
  if #redis.call('XPENDING', KEYS[1], 'workers', ARGV[i], ARGV[i], 1, ARGV[1]) == 0 then
    lost[#lost + 1] = ARGV[i]
  else
    redis.call('XCLAIM', KEYS[1], 'workers', ARGV[1], 0, ARGV[i], 'JUSTID')
  end
end
return lost

-- Takes the marks off what the row has now, or drops the copy if nothing else is marked. Never creates.
-- KEYS[1] u, the user's gate   [2] s, the copy
-- ARGV[1] highest sequence that the row has   [2] the row's version, or 0   [3] 1: the copy is to go
-- Clock   none   Returns 1 done | 0 it was to go, and has newer changes
local flat = redis.call('HGETALL', KEYS[2])
local known, left, version = false, 0, 0
for i = 1, #flat, 2 do
  if flat[i] == 'x' then return 1 end
  if flat[i] == 'n' then known = true end
  if flat[i] == 'v' then version = tonumber(flat[i + 1]) end
  if string.sub(flat[i], 1, 2) == 'd:' then
    if tonumber(flat[i + 1]) <= tonumber(ARGV[1]) then redis.call('HDEL', KEYS[2], flat[i]) else left = left + 1 end
  end
end
if left == 0 then redis.call('HDEL', KEYS[2], 'w') end
if ARGV[3] == '1' then
  if left > 0 then return 0 end
  redis.call('DEL', KEYS[2])
  -- A fill under way may carry the row as it was before: its lease ends here.
  if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'g', 1) end
elseif known and version < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[2], 'v', ARGV[2])
end
return 1

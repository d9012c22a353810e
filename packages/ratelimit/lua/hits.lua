-- Counts a hit, refused ones too, in a window that begins with its first. Twin of src/compat/hits.ts
-- KEYS[1] hits so far, a whole number in decimal; its expiry is the end of the window
-- ARGV[1] hit or look  [2] window, ms  [3] hits a window admits  [4] what a hit beyond does: keep, renew or double the window
-- Clock   the expiry. Returns {hits, ms until the window ends}

local LONGEST = 2 ^ 53 - 1
local key = KEYS[1]
local window, max, beyond = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local count = tonumber(redis.call('GET', key) or '')
local left = redis.call('PTTL', key)
-- What never ends was not counted here.
if not count or left <= 0 then
  count, left = 0, 0
end
if ARGV[1] == 'look' then
  return {count, left}
end

count = count + 1
local fresh = count == 1
if fresh or (count > max and beyond == 'renew') then
  left = window
elseif count > max and beyond == 'double' then
  left = math.min(LONGEST, math.floor(window * 2 ^ (count - max - 1)))
else
  redis.call('INCR', key)
  return {count, left}
end
if left > 0 then
  redis.call('SET', key, string.format('%.0f', count), 'PX', string.format('%.0f', left))
elseif not fresh then
  redis.call('DEL', key)
end
return {count, left}

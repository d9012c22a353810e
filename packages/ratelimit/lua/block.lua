-- Refuses a subject of a limit for a time, or no longer; what the limit has counted stays. Twin of `block` of stores/memory.ts
-- KEYS[1] state, string   ARGV[1] ms from now on, 0: no longer
-- Clock   redis TIME      Returns 1 if it was refused by a block before, else 0
local time = redis.call('TIME')
local nowMs = math.floor((time[1] * 1000000 + time[2]) / 1000)
local duration = tonumber(ARGV[1])
local state = redis.pcall('GET', KEYS[1])
-- What a stranger has put there counts as nothing.
state = type(state) == 'string' and state or ''
local leftMs = redis.call('PTTL', KEYS[1])
local blocked = 0

-- A block stands before the state: its mark and its end, as lua/limits.lua reads it.
if #state >= 7 and string.sub(state, 1, 1) == '\6' then
  if struct.unpack('>I6', state, 2) > nowMs then
    blocked = 1
  end
  state = string.sub(state, 8)
end

if duration > 0 then
  redis.call('SET', KEYS[1], '\6' .. struct.pack('>I6', nowMs + duration) .. state, 'PX', string.format('%d', math.max(duration, leftMs)))
elseif state == '' or leftMs <= 0 then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], state, 'PX', string.format('%d', leftMs))
end
return blocked

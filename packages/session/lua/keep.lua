-- Saves into a copy before its row, and marks what the row does not have. Never creates: a session that was ended meanwhile stays ended.
-- KEYS[1] u, the user's gate   [2] s, the copy
-- ARGV[1] era of the asker   [2] most bytes of all fields   [3] 1: all other fields go   [4] version that was loaded   [5] number of fields set   [6…] field, value, …, then fields deleted
-- Clock   redis TIME, never going back for one copy   Returns {1, number of marks} | {0} there is no copy to be believed | {-1, bytes} too large, nothing is saved
local gate = redis.call('HMGET', KEYS[1], 'n', 'e')
local copy = redis.call('HMGET', KEYS[2], 'x', 'n', 'q', 'v')
if copy[1] or not gate[1] or copy[2] ~= gate[1] or gate[2] ~= ARGV[1] then return {0} end
-- The row went ahead since: a save that comes late, and that its caller has given up, must not undo what came after it.
if tonumber(copy[4]) > tonumber(ARGV[4]) then return {0} end

local sizes, marked, deleted = {}, {}, {}
local flat = redis.call('HGETALL', KEYS[2])
for i = 1, #flat, 2 do
  local kind = string.sub(flat[i], 1, 2)
  if kind == 'f:' then
    sizes[flat[i]] = #flat[i] + #flat[i + 1] + 2
    if ARGV[3] == '1' then deleted[flat[i]] = true end
  elseif kind == 'd:' then
    marked[flat[i]] = true
  end
end
local last = 5 + 2 * tonumber(ARGV[5])
for i = 6, last, 2 do
  sizes[ARGV[i]] = #ARGV[i] + #ARGV[i + 1] + 2
  deleted[ARGV[i]] = nil
end
for i = last + 1, #ARGV do deleted[ARGV[i]] = true end
local bytes = 2
for field, size in pairs(sizes) do if not deleted[field] then bytes = bytes + size end end
if bytes > tonumber(ARGV[2]) then return {-1, bytes} end

local time = redis.call('TIME')
local seq = string.format('%.0f', math.max(time[1] * 1000000 + time[2], tonumber(copy[3] or 0) + 1))
local function mark (field)
  local name = 'd:' .. string.sub(field, 3)
  marked[name] = true
  redis.call('HSET', KEYS[2], name, seq)
end
redis.call('HSET', KEYS[2], 'q', seq, 'w', 1)
for i = 6, last, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  mark(ARGV[i])
end
for field in pairs(deleted) do
  redis.call('HDEL', KEYS[2], field)
  mark(field)
end
local marks = 0
for _ in pairs(marked) do marks = marks + 1 end
return {1, marks}

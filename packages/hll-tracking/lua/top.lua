-- Reads the most frequent members of buckets, with what their counts may be too high by. Twin of stores/memory.ts
-- KEYS[1,3…] top, zset   [2,4…] its calls and errors, hash
-- ARGV[1] how many members of each, 0 for all
-- Clock   none. Returns for each bucket {floor, member, count, maxOver, member, …}, the most frequent first

local limit = tonumber(ARGV[1])
local CHUNK = 1000
local answer = {}
for i = 1, #KEYS, 2 do
  local ranked = redis.call('ZREVRANGE', KEYS[i], 0, limit - 1, 'WITHSCORES')
  local floor = redis.call('HGET', KEYS[i + 1], '<') or '0'
  local summary = {floor}
  for from = 1, #ranked, 2 * CHUNK do
    local to, members = math.min(from + 2 * CHUNK, #ranked + 1) - 1, {}
    for at = from, to, 2 do
      members[#members + 1] = ranked[at]
    end
    local over = redis.call('HMGET', KEYS[i + 1], unpack(members))
    for at = 1, #members do
      summary[#summary + 1] = members[at]
      summary[#summary + 1] = ranked[from + 2 * at - 1]
      summary[#summary + 1] = over[at] or '0'
    end
  end
  answer[#answer + 1] = summary
end
return answer

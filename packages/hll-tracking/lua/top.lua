-- Reads the most frequent members of buckets, with what their counts may be too high by. Twin of stores/memory.ts
-- KEYS[1,3…] top, zset   [2,4…] its calls, hash
-- ARGV[1] how many members of each, 0 for all; where more than one scheme has counted, all are read  [2…] fields of the calls by each scheme
-- Clock   none. Returns for each bucket {floor, calls, calls by each scheme …, member, count, maxOver, member, …}, the most frequent first

local CHUNK = 1000
local schemes = {unpack(ARGV, 2)}

local function head(hash)
  local known = redis.call('HMGET', hash, '<', '#', unpack(schemes))
  local summary, rest, seen = {}, tonumber(known[2] or 0), 0
  for i = 1, #schemes + 2 do
    summary[i] = known[i] or '0'
    if i > 2 and known[i] then
      seen = seen + 1
      rest = rest - tonumber(known[i])
    end
  end
  return summary, seen + (rest > 0 and 1 or 0)
end

local answer = {}
for i = 1, #KEYS, 2 do
  local summary, seen = head(KEYS[i + 1])
  local ranked = redis.call('ZREVRANGE', KEYS[i], 0, seen > 1 and -1 or tonumber(ARGV[1]) - 1, 'WITHSCORES')
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

-- Finds the entries of one identity in the top lists of buckets. Twin of stores/memory.ts
-- KEYS[1,3…] top, zset   [2,4…] its calls, hash
-- ARGV[1…] what may be its members
-- Clock   none. Returns {place of the bucket from 0, count, maxOver, place, …}, one for each member that is there

local answer = {}
for i = 1, #KEYS, 2 do
  local counts = redis.call('ZMSCORE', KEYS[i], unpack(ARGV))
  for m = 1, #ARGV do
    if counts[m] then
      answer[#answer + 1] = (i - 1) / 2
      answer[#answer + 1] = tonumber(counts[m])
      answer[#answer + 1] = tonumber(redis.call('HGET', KEYS[i + 1], ARGV[m]) or 0)
    end
  end
end
return answer

-- Adds up the calls of buckets. Twin of stores/memory.ts
-- KEYS[1…] calls of each bucket, hash
-- ARGV    none
-- Clock   none. Returns the number of calls

local calls = 0
for _, key in ipairs(KEYS) do
  calls = calls + tonumber(redis.call('HGET', key, '#') or 0)
end
return calls

-- Reads the distinct ids of a union of buckets, for a union with other metrics. Twin of stores/memory.ts
-- KEYS[1…n] distinct ids of each bucket, HyperLogLog   [n+1…2n] the few of each bucket, string, in the same order   [2n+1] scratch, HyperLogLog, gone at the end
-- ARGV[1] the most ids counted exactly
-- Clock   none. Returns {1, ids of 8 bytes each} while they are few, else {0, HyperLogLog as GET reads it}

local WIDTH = 8
local n = (#KEYS - 1) / 2

local function few()
  local seen, count, ids = {}, 0, {}
  for i = 1, n do
    local known = redis.call('GET', KEYS[n + i])
    if not known and redis.call('EXISTS', KEYS[i]) == 1 then
      return nil
    end
    for at = 1, #(known or ''), WIDTH do
      local id = string.sub(known, at, at + WIDTH - 1)
      if not seen[id] then
        seen[id] = true
        count = count + 1
        ids[count] = id
      end
    end
    if count > tonumber(ARGV[1]) then
      return nil
    end
  end
  return table.concat(ids)
end

local ids = few()
if ids then
  return {1, ids}
end
local registers = {}
for i = 1, n do
  registers[i] = KEYS[i]
end
local scratch = KEYS[2 * n + 1]
redis.call('PFMERGE', scratch, unpack(registers))
local value = redis.call('GET', scratch)
redis.call('DEL', scratch)
return {0, value}

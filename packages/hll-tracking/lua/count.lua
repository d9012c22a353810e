-- Counts the distinct ids of a union of buckets: exactly while they are few, else by HyperLogLog. Twin of stores/memory.ts
-- KEYS[1…n] distinct ids of each bucket, HyperLogLog   [n+1…2n] the few of each bucket, string, in the same order
-- ARGV[1] the most ids counted exactly
-- Clock   none. Returns {exact 0|1, count}

local WIDTH = 8
local n = #KEYS / 2

local function few()
  local seen, count = {}, 0
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
      end
    end
    if count > tonumber(ARGV[1]) then
      return nil
    end
  end
  return count
end

local exact = few()
if exact then
  return {1, exact}
end
local registers = {}
for i = 1, n do
  registers[i] = KEYS[i]
end
return {0, redis.call('PFCOUNT', unpack(registers))}

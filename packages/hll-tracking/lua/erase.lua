-- Removes one identity from the top lists, and from distinct ids that are kept one by one; later flushes of this minute and those before leave it out.
-- Twin of stores/memory.ts
-- KEYS[1] erased ids and when, zset   [2] all-time top, zset   [3] all-time calls, hash
-- KEYS[4…] for each bucket: top, zset; calls, hash; then for each key of identities: distinct ids, HyperLogLog; the few, string
-- ARGV[1] ms to keep the erasure  [2] the most erasures kept  [3] how many keys of identities  [4…] the keyed id under each; then what may be its members
-- Clock   redis TIME. Returns the number of entries removed

local WIDTH = 8
local keys = tonumber(ARGV[3])
local members = {unpack(ARGV, 4 + keys)}

-- What it had is no longer counted by its member; the floor stays, and so does every other bound: space-saving.ts says why.
local function unlist(top, hash)
  local gone = redis.call('ZREM', top, unpack(members))
  if gone > 0 then
    redis.call('HDEL', hash, unpack(members))
  end
  return gone
end

-- The registers are made anew of those who stay. Of many, registers cannot be made anew.
local function unsee(registers, few, id)
  local known = redis.call('GET', few)
  local found = known and string.find(known, id, 1, true)
  while found and found % WIDTH ~= 1 do
    found = string.find(known, id, found + 1, true)
  end
  if not found then
    return 0
  end
  local stay, ids, ttl = string.sub(known, 1, found - 1) .. string.sub(known, found + WIDTH), {}, redis.call('PTTL', few)
  -- In its last millisecond a key has 0 left, which SET refuses.
  ttl = math.max(1, ttl)
  for at = 1, #stay, WIDTH do
    ids[#ids + 1] = string.sub(stay, at, at + WIDTH - 1)
  end
  redis.call('DEL', registers, few)
  if #ids > 0 then
    redis.call('PFADD', registers, unpack(ids))
    redis.call('PEXPIRE', registers, ttl)
    redis.call('SET', few, stay, 'PX', ttl)
  end
  return 1
end

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
for k = 1, keys do
  redis.call('ZADD', KEYS[1], nowMs, ARGV[3 + k])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', nowMs - tonumber(ARGV[1]))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[1])

local removed = unlist(KEYS[2], KEYS[3])
for at = 4, #KEYS, 2 + 2 * keys do
  removed = removed + unlist(KEYS[at], KEYS[at + 1])
  for k = 1, keys do
    removed = removed + unsee(KEYS[at + 2 * k], KEYS[at + 2 * k + 1], ARGV[3 + k])
  end
end
return removed

-- Counts what one process has seen of one metric in one minute, in all buckets of that minute; a repeated flush is ignored. Twin of stores/memory.ts
-- KEYS[1] mark of the origin, string   [2] all-time top, zset   [3] all-time calls, hash   [4] erased ids and when, zset
-- KEYS[5…] for each bucket: distinct ids, HyperLogLog; the few, string; top, zset; calls, hash
-- ARGV[1] sequence  [2] ms to keep the mark  [3] ms to keep the all-time keys  [4] members of the all-time top  [5] members of a bucket's top
-- ARGV[6] the most ids kept exact  [7] start of the minute, ms since the epoch  [8] field of the calls by this scheme  [9] keyed ids, 8 bytes each
-- ARGV[10…] for each bucket: ms to keep it; then for each id: member, calls, the least calls first
-- Clock   the caller's, as durations; a bucket's expiry is set once. Returns 1 when counted, 0 when repeated

local WIDTH = 8
local PER_BUCKET = 4
-- A list whose capacity was lowered shrinks in steps: Lua unpacks 8,000 values at most.
local MOST_GONE = 2000
local FIXED_KEYS, FIXED_ARGS = 4, 9
local buckets = (#KEYS - FIXED_KEYS) / PER_BUCKET

local sequence = tonumber(ARGV[1])
local last = redis.call('GET', KEYS[1])
if last and tonumber(last) >= sequence then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])

-- An id that was erased is left out of batches of that minute and before; its calls stay in the sum.
local ids, members, calls, all = {}, {}, {}, 0
local erasures = redis.call('EXISTS', KEYS[4]) == 1
local function isErased(id)
  local erased = erasures and redis.call('ZSCORE', KEYS[4], id)
  return erased and tonumber(erased) >= tonumber(ARGV[7])
end
local at = FIXED_ARGS + buckets
for from = 1, #ARGV[9], WIDTH do
  local id = string.sub(ARGV[9], from, from + WIDTH - 1)
  all = all + tonumber(ARGV[at + 2])
  if not isErased(id) then
    ids[#ids + 1] = id
    members[#members + 1] = ARGV[at + 1]
    calls[#calls + 1] = tonumber(ARGV[at + 2])
  end
  at = at + 2
end

local function keepOnce(key, ttl)
  if redis.call('PTTL', key) < 0 then
    redis.call('PEXPIRE', key, ttl)
  end
end

-- While the ids are few they are kept beside the registers, whole. The registers without the few: there were too many.
local function distinct(registers, few, ttl)
  if #ids == 0 then
    return
  end
  local known = redis.call('GET', few)
  local exact = known or redis.call('EXISTS', registers) == 0
  redis.call('PFADD', registers, unpack(ids))
  keepOnce(registers, ttl)
  if not exact then
    return
  end
  local seen, added = {}, {}
  for at = 1, #(known or ''), WIDTH do
    seen[string.sub(known, at, at + WIDTH - 1)] = true
  end
  for _, id in ipairs(ids) do
    if not seen[id] then
      seen[id] = true
      added[#added + 1] = id
    end
  end
  if #(known or '') / WIDTH + #added > tonumber(ARGV[6]) then
    redis.call('DEL', few)
  elseif #added > 0 then
    redis.call('APPEND', few, table.concat(added))
    keepOnce(few, ttl)
  end
end

-- Space-Saving, twin of space-saving.ts. In the hash beside the top: '#' the calls of all, '@…' those by each scheme, '<' what
-- an absent member may have had at most, and for each member that took another's place by how much its count may be too high.

local function write(command, key, list)
  if #list > 0 then
    redis.call(command, key, unpack(list))
  end
end

-- Adds the calls of members that are there, and returns the places in the batch of those that are not.
local function addKnown(top)
  local scores, known, fresh = redis.call('ZMSCORE', top, unpack(members)), {}, {}
  for i, member in ipairs(members) do
    if scores[i] then
      known[#known + 1] = tonumber(scores[i]) + calls[i]
      known[#known + 1] = member
    else
      fresh[#fresh + 1] = i
    end
  end
  write('ZADD', top, known)
  return fresh
end

-- Takes in new members; where there is no room the least goes, one who was there before one who has just come.
local function takeIn(top, hash, fresh, capacity)
  local floor = tonumber(redis.call('HGET', hash, '<') or 0)
  local size = redis.call('ZCARD', top)
  local olds, news, old, young = {}, {}, 1, 1
  if size + #fresh > capacity then
    olds = redis.call('ZPOPMIN', top, math.min(size + #fresh - capacity, MOST_GONE))
  end
  local stay, gone, over = {}, {}, {'<', floor}
  for _, i in ipairs(fresh) do
    while size >= capacity and (old < #olds or young <= #news) do
      -- The new ones lie in the order of their counts, since those with the least calls come first.
      if old < #olds and (young > #news or tonumber(olds[old + 1]) <= news[young].count) then
        gone[#gone + 1] = olds[old]
        floor = math.max(floor, tonumber(olds[old + 1]))
        old = old + 2
      else
        floor = math.max(floor, news[young].count)
        young = young + 1
      end
      size = size - 1
    end
    news[#news + 1] = {member = members[i], count = floor + calls[i], over = floor}
    size = size + 1
  end

  for at = old, #olds, 2 do
    stay[#stay + 1] = olds[at + 1]
    stay[#stay + 1] = olds[at]
  end
  for at = young, #news do
    stay[#stay + 1] = news[at].count
    stay[#stay + 1] = news[at].member
    if news[at].over > 0 then
      over[#over + 1] = news[at].member
      over[#over + 1] = news[at].over
    end
  end
  write('ZADD', top, stay)
  write('HDEL', hash, gone)
  over[2] = floor
  if floor > 0 then
    redis.call('HSET', hash, unpack(over))
  end
end

local function summarise(top, hash, capacity)
  redis.call('HINCRBY', hash, '#', all)
  redis.call('HINCRBY', hash, ARGV[8], all)
  local fresh = #members > 0 and addKnown(top) or {}
  if #fresh > 0 then
    takeIn(top, hash, fresh, capacity)
  end
end

summarise(KEYS[2], KEYS[3], tonumber(ARGV[4]))
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
for b = 1, buckets do
  local first, ttl = FIXED_KEYS + PER_BUCKET * (b - 1), tonumber(ARGV[FIXED_ARGS + b])
  if ttl > 0 then
    distinct(KEYS[first + 1], KEYS[first + 2], ttl)
    summarise(KEYS[first + 3], KEYS[first + 4], tonumber(ARGV[5]))
    keepOnce(KEYS[first + 3], ttl)
    keepOnce(KEYS[first + 4], ttl)
  end
end
return 1

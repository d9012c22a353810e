-- Reads copies, and is the only command of a request that finds its own. Makes a gate where it is missing or of another era.
-- KEYS[2i - 1] u, the user's gate: hash n (lineage), g (gate), e (era)   [2i] s, a copy: hash n, v, i, o, m, c, r, q, w, f:<name>, d:<name> (see keys.ts), or x; absent: only a lease is wanted
-- ARGV[1] lease, ms; then for each copy: [2i] era of the asker   [2i + 1] fresh lineage
-- Clock   redis, by key expiry   Returns for each {'HIT', n, g, pttl, fields} | {'DEAD'} | {'MISS', n, g} | {'ERROR', why}: what lies there is not ours
local leaseMs = tonumber(ARGV[1])

local function grow (key)
  local left = redis.call('PTTL', key)
  if left >= -1 and left < leaseMs then redis.call('PEXPIRE', key, leaseMs) end
end

local function read (gateKey, copyKey, era, fresh)
  local gate = redis.pcall('HMGET', gateKey, 'n', 'g', 'e')
  local copy = copyKey and redis.pcall('HMGET', copyKey, 'x', 'n') or {}
  local wrong = gate.err or copy.err
  if wrong then return {'ERROR', wrong} end
  if copy[1] then return {'DEAD'} end
  if not gate[1] or gate[3] ~= era then
    redis.call('DEL', gateKey)
    redis.call('HSET', gateKey, 'n', fresh, 'g', 0, 'e', era)
    redis.call('PEXPIRE', gateKey, leaseMs)
    return {'MISS', fresh, '0'}
  end
  -- A copy counts only while its lineage is the gate's: deleting the gate ends all copies of the user.
  if copy[2] ~= gate[1] then
    grow(gateKey)
    return {'MISS', gate[1], gate[2]}
  end
  return {'HIT', gate[1], gate[2], redis.call('PTTL', copyKey), redis.call('HGETALL', copyKey)}
end

local replies = {}
for i = 1, #KEYS, 2 do
  replies[(i + 1) / 2] = read(KEYS[i], KEYS[i + 1], ARGV[i + 1], ARGV[i + 2])
end
return replies

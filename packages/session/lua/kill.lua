-- Ends copies after the durable store has ended or superseded their rows, and advances the gate, so that no lease from before holds.
-- KEYS[1] u, the user's gate   [2…] s, copies
-- ARGV[1] how long a dead one is remembered, ms   [2…] for each copy 1 (dead) or 0 (only dropped)
-- Clock   redis, by key expiry   Returns 1
for i = 2, #KEYS do
  if ARGV[i] == '1' then
    -- The first write is a DEL, which a full server admits.
    redis.call('DEL', KEYS[i])
    redis.call('HSET', KEYS[i], 'x', 1)
    redis.call('PEXPIRE', KEYS[i], ARGV[1])
  elseif redis.call('HEXISTS', KEYS[i], 'x') == 0 then
    redis.call('DEL', KEYS[i])
  end
end
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'g', 1) end
return 1

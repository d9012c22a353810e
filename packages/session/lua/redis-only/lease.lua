-- Tells the time by which a log-in or rotation that comes late is refused.
-- KEYS[1] ledger, the user's: for the node, which has a clock of its own
-- ARGV    none
-- Clock   redis TIME   Returns now, ms
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000)

-- Reads a copy for what its row does not have, of whatever lineage it is: of which session the data are, its key says.
-- KEYS[1] s, the copy   ARGV none
-- Clock   none   Returns field, value, …; nothing for a dead or absent one
if redis.call('HEXISTS', KEYS[1], 'w') == 0 then return {} end
return redis.call('HGETALL', KEYS[1])

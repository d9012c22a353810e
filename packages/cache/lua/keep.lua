-- Lets the record of a tag or namespace live at least as long as an entry that carries it. Raised seldom and far, since each change of its expiry is a push to all.
-- KEYS[1] tag, hash; or ns, string
-- ARGV[1] the least it must live, ms   [2] what it is given otherwise, ms
-- Clock   none   Returns 1 raised | 0 left
local left = redis.call('PTTL', KEYS[1])
if left == -2 or left >= tonumber(ARGV[1]) then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])

-- Appends a message to the stream of a topic, numbers it, and bounds how many are kept and for how long. Twin of streams/memory-log.ts
-- KEYS[1] stream  [2] id of the last message, string `<ms>-<number>`   ARGV[1] message  [2] messages to keep  [3] ms to keep the stream from now on
-- [4] ms to keep the id, longer: numbers must not begin anew before whoever read them has gone
-- Clock   redis TIME      Returns the message's id: its time, not before that of the last one, and its number, one more than the last one's
local function last_entry()
  local entry = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  return string.match(entry and entry[1] or '0-0', '^(%d+)-(%d+)$')
end

local time = redis.call('TIME')
local ms, number = string.match(redis.call('GET', KEYS[2]) or '', '^(%d+)-(%d+)$')
if not ms then
  ms, number = last_entry()
end
local now_ms = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ms))
local id = string.format('%d-%d', now_ms, number + 1)
local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], id, 'm', ARGV[1])
if type(added) == 'table' then
  -- The clock was set back, or a stranger has written here: the message goes behind what is there.
  local last_ms = last_entry()
  id = string.format('%d-%d', math.max(now_ms, last_ms + 1), number + 1)
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], id, 'm', ARGV[1])
end
redis.call('SET', KEYS[2], id, 'PX', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return id

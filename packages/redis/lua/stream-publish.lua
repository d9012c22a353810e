-- Appends a message to the stream of a topic, numbers it, and bounds how many are kept and for how long. Twin of streams/memory-log.ts
-- KEYS[1] stream  [2] id of the last message, string `<ms>-<number>`   ARGV[1] message  [2] messages to keep  [3] ms to keep the stream from now on
-- [4] ms to keep the id, longer: numbers must not begin anew before whoever read them has gone
-- Clock   redis TIME      Returns the message's id: its time, not before that of the last one, and its number, one more than the last one's
-- Numbers beyond are rounded, here and by whoever reads them.
local largest = 2 ^ 53 - 2
local foreign = redis.error_reply('ERR the stream holds, or has held, an entry whose id none of ours can follow: delete the key')

-- Of the highest id there ever was in the stream: at or below it nothing is added, even where its entry is deleted.
local function highest_ms()
  local about = redis.pcall('XINFO', 'STREAM', KEYS[1])
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then
      return tonumber(string.match(about[i + 1], '^(%d+)-'))
    end
  end
end

local ms, number = string.match(redis.call('GET', KEYS[2]) or '', '^(%d+)-(%d+)$')
if not ms then
  local entry = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  ms, number = string.match(entry and entry[1] or '0-0', '^(%d+)-(%d+)$')
end
local time = redis.call('TIME')
local now_ms = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ms))
if now_ms > largest or tonumber(number) >= largest then
  return foreign
end
local id = string.format('%d-%d', now_ms, number + 1)
local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], id, 'm', ARGV[1])
if type(added) == 'table' then
  local before_ms = highest_ms()
  if not before_ms then
    return added
  end
  -- The clock was set back, or a stranger has written here: the message goes behind whatever was there.
  now_ms = math.max(now_ms, before_ms + 1)
  if now_ms > largest then
    return foreign
  end
  id = string.format('%d-%d', now_ms, number + 1)
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], id, 'm', ARGV[1])
end
redis.call('SET', KEYS[2], id, 'PX', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return id

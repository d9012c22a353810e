-- Says behind which message a topic's stream ends. Twin of `position` of streams/memory-log.ts
-- KEYS[1] stream  [2] id of the last message, string `<ms>-<number>`   ARGV none
-- Returns an id, `0-0` before the first message
local entry = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return redis.call('GET', KEYS[2]) or (entry and entry[1]) or '0-0'

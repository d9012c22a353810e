-- Gives an entity's next version: above the last one while its record lives, above all before it by the clock when it is lost.
-- KEYS[1] last version, string   ARGV[1] how long the record lives, ms
-- Clock   redis TIME, µs         Returns the version, decimal
local t = redis.call('TIME')
local version = math.max((tonumber(redis.call('GET', KEYS[1]) or '') or 0) + 1, t[1] * 1000000 + t[2])
local text = string.format('%.0f', version)
redis.call('SET', KEYS[1], text, 'PX', ARGV[1])
return text

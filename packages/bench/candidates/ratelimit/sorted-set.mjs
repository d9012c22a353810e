// The usual exact log: a sorted set of admissions, in one script.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { filled, limits } from './limits.mjs'
import { measured } from './measure.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
redis.defineCommand('logged', {
  numberOfKeys: 1,
  lua: `
    local t = redis.call('TIME')
    local now = t[1] * 1000 + math.floor(t[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - ARGV[2])
    if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return 1`
})
const take = ({ name, limit, windowMs }, subject) => redis.logged(`${name}:${subject}`, limit, windowMs, randomUUID())

measured({
  check: async subject => !(await Promise.all(limits.map(limit => take(limit, subject)))).includes(0),
  charge: units => take(filled(units), 'one'),
  close: () => redis.disconnect()
})

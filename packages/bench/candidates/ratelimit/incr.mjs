// One INCR a limit, and with BENCH_EXPIRE a PEXPIRE: what asking Redis at all costs. It counts, and decides nothing.
import { Redis } from 'ioredis'
import { limits } from './limits.mjs'
import { measured } from './measure.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
const count = ({ name, windowMs }, subject) => {
  const key = `${name}:${subject}`
  const counted = redis.incr(key)
  return process.env.BENCH_EXPIRE === '1' ? Promise.all([counted, redis.pexpire(key, windowMs)]) : counted
}

measured({
  check: async subject => {
    await Promise.all(limits.map(limit => count(limit, subject)))
    return true
  },
  charge: () => count({ name: 'full', windowMs: 60_000 }, 'one'),
  close: () => redis.disconnect()
})

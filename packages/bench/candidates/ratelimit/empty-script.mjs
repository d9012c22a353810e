// A script that does nothing, one call a limit: what EVALSHA costs before anything is decided.
import { Redis } from 'ioredis'
import { limits } from './limits.mjs'
import { measured } from './measure.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
redis.defineCommand('nothing', { numberOfKeys: 1, lua: 'return 1' })
const call = ({ name }, subject) => redis.nothing(`${name}:${subject}`)

measured({
  check: async subject => {
    await Promise.all(limits.map(limit => call(limit, subject)))
    return true
  },
  charge: () => undefined,
  close: () => redis.disconnect()
})

import Fastify from 'fastify'
import redis, { type RedisOptions } from '@respite/redis'
import { until } from '@respite/testing'
import type { Test } from 'tap'
import { RedisStore } from '../../src/redis-only/redis-store.ts'
import { located } from '../redis-only/located-store.ts'
import { sessionStoreContract } from './session-store.ts'

/** What every store must do, of the one in Redis alone; run once for each kind of client and server. */
export function redisStoreContract (t: Test, options: (t: Test) => Promise<RedisOptions>): void {
  sessionStoreContract(t, async t => {
    const app = Fastify()
    await app.register(redis, { ...await options(t), deadlineMs: '5s' })
    t.teardown(() => app.close())
    await app.ready()
    const { link, keyspace, logger } = app.respite
    await until('Redis', () => link.state === 'up' && link.eraOf('any') !== undefined)
    const store = new RedisStore({ link, keyspace, log: logger('session'), afterFailover: 'end' })
    await store.open()
    t.teardown(() => store.close())
    return { store: located(store), pending: false, ownTags: true, forgets: true }
  })
}

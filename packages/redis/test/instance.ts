import type { Test } from 'tap'
import { until } from '@respite/testing'
import { createRedisBus, type RedisBus } from '../src/bus/redis-bus.ts'
import type { Adapter } from '../src/clients/adapter.ts'
import { type Clock, systemClock } from '../src/clock.ts'
import { createServerInvalidations } from '../src/invalidations/server-invalidations.ts'
import type { Invalidations } from '../src/invalidations/invalidations.ts'
import { createKeyspace } from '../src/keyspace.ts'
import type { Features } from '../src/link/features.ts'
import { createRedisLink, type RedisLink } from '../src/link/redis-link.ts'
import { createMetrics } from '../src/metrics/registry.ts'

export interface InstanceSettings {
  clock?: Clock
  heartbeatMs?: number
  deadlineMs?: number
  /** Features that the server shall not have. */
  without?: readonly (keyof Features)[]
  /** Where errors are written down. */
  errors?: object[]
}

export interface Instance { link: RedisLink, bus: RedisBus, invalidations: Invalidations }

/** One process of an app, as far as this package goes, over an adapter; closed with the test. */
export async function instanceOver (t: Test, adapter: Adapter, { errors = [], without = [], ...timing }: InstanceSettings = {}): Promise<Instance> {
  const log = { error: (about: object) => { errors.push(about) }, debug: () => {}, info: () => {}, warn: () => {} } as never
  const metrics = createMetrics()
  const link = createRedisLink({ adapter, metrics, log, clock: systemClock, deadlineMs: 2_000, breaker: { failures: 5, probeEveryMs: 100 } })
  const features = () => ({ ...link.features, ...Object.fromEntries(without.map(name => [name, false])) })
  const seen = new Proxy(link, {
    get: (target, name) => {
      if (name === 'features') return features()
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
  const bus = createRedisBus({ adapter, link, keyspace: createKeyspace('respite'), metrics, log })
  const invalidations = createServerInvalidations({ adapter, link: seen, bus, metrics, log, ...timing })
  t.teardown(async () => {
    await Promise.all([bus.close(), invalidations.close()])
    await link.close()
  })
  await until('the link is up', () => link.state === 'up', 20_000)
  return { link, bus, invalidations }
}

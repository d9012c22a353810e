import type { Test } from 'tap'
import { until } from '@respite/testing'
import { createMemoryBus, MemoryHub } from '../src/bus/memory-bus.ts'
import { MessageBus } from '../src/bus/message-bus.ts'
import { createRedisBus } from '../src/bus/redis-bus.ts'
import type { Adapter } from '../src/clients/adapter.ts'
import { systemClock } from '../src/clock.ts'
import { createKeyspace } from '../src/keyspace.ts'
import { createRedisLink } from '../src/link/redis-link.ts'
import { createMetrics } from '../src/metrics/registry.ts'
import type { Metrics } from '../src/metrics/metrics.ts'
import { MemoryWorkPlace } from '../src/queues/memory-jobs.ts'
import { MemoryQueueRoom } from '../src/queues/memory-queue-room.ts'
import { RedisQueueRoom } from '../src/queues/redis-queue-room.ts'
import { RedisWorkPlace } from '../src/queues/redis-work-place.ts'
import { MemoryStreams } from '../src/streams/memory-streams.ts'
import { RedisStreams } from '../src/streams/redis-streams.ts'

export interface MessagesSettings {
  /** Where errors are written down. */
  errors?: object[]
  closeWithinMs?: number
}

export interface Messages { bus: MessageBus, metrics: Metrics }

const retention = { maxLength: 10_000, keepMs: 60_000 }
const logTo = (errors: object[]) => ({ error: (about: object) => { errors.push(about) }, debug: () => {}, info: () => {}, warn: () => {} }) as never

/** The messages of one process of an app, over an adapter; closed with the test. */
export async function messagesOver (t: Test, adapter: Adapter, { errors = [], closeWithinMs = 1_000 }: MessagesSettings = {}) {
  const [log, metrics, keyspace] = [logTo(errors), createMetrics(), createKeyspace('respite')]
  const link = createRedisLink({ adapter, metrics, log, clock: systemClock, deadlineMs: 2_000, breaker: { failures: 5, probeEveryMs: 100 } })
  const plain = createRedisBus({ adapter, link, keyspace, metrics, log })
  const common = { adapter, link, keyspace, metrics, log }
  const streams = new RedisStreams({ origin: plain.origin, ...common, closeWithinMs })
  const queues = new RedisQueueRoom({ ...common, clock: systemClock, closeWithinMs })
  const bus = new MessageBus({ plain, streams, queues, metrics, retention })
  t.teardown(async () => {
    await bus.close()
    await link.close()
  })
  await until('the link is up', () => link.state === 'up', 20_000)
  return { bus, metrics, link }
}

/** The same in memory, for all processes that share a hub. */
export function messagesIn (t: Test, hub: MemoryHub, { errors = [], closeWithinMs = 1_000 }: MessagesSettings = {}): Messages {
  const [log, metrics] = [logTo(errors), createMetrics()]
  const plain = createMemoryBus({ log, hub })
  const streams = new MemoryStreams({ origin: plain.origin, log, metrics, shared: hub.log, closeWithinMs })
  const queues = new MemoryQueueRoom({ shared: hub.queues, log, metrics, clock: systemClock, closeWithinMs })
  const bus = new MessageBus({ plain, streams, queues, metrics, retention })
  t.teardown(() => bus.close())
  return { bus, metrics }
}

/** What a counter of these metrics has by now. */
export function counted (metrics: Metrics, name: string, ...labels: string[]): number {
  let value = 0
  metrics.onMetric(metric => {
    if (metric.name !== name) return
    for (const [values, series] of metric.entries()) if (values.join() === labels.join()) value = (series as { value: number }).value
  })()
  return value
}

/** Tells of each job whose acknowledgement has resolved, in whatever queue, until the test ends. */
export function onAcknowledged (t: Test, tell: (id: string) => void): void {
  for (const { prototype } of [RedisWorkPlace, MemoryWorkPlace]) {
    const { settle } = prototype
    prototype.settle = async function (id) {
      const ours = await settle.call(this, id)
      if (ours) tell(id)
      return ours
    }
    t.teardown(() => { prototype.settle = settle })
  }
}

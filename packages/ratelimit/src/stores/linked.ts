import type { Respite } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import { type Freed, FreedTopic } from '../refusals/freed-topic.ts'
import type { LeaseMeters } from '../meters.ts'
import { LeasingStore } from './leasing.ts'
import { RedisStore } from './redis.ts'
import { RememberingStore } from './remembering.ts'
import type { LimitStore } from './store.ts'

const sweptEveryMs = 1_000

/** The store that the processes of an app share: Redis, asked once for each refusal, and once for each batch of leased permits. It listens from onReady to onClose. */
export function linkedStore (app: FastifyInstance, { timeoutMs, leases }: { timeoutMs: number, leases: LeaseMeters }): LimitStore {
  const { link, keyspace, bus, clock } = app.respite as Respite
  const topic = new FreedTopic(bus, link)
  const redis = new RedisStore(link.within(timeoutMs), keyspace, { onUndone: charges => store.freed(charges) })
  const store: RememberingStore = new RememberingStore(redis, { clock, reachable: () => link.state === 'up', tell: freed => topic.publish(freed) })
  const leasing = new LeasingStore({ store, clock, meters: leases, instances: () => bus.instances })
  const unlisten = link.on('generation', () => {
    store.clear()
    leasing.clear()
  })
  let unsubscribe: (() => void) | undefined
  const heard = (freed: Freed) => {
    store.forget(freed)
    leasing.forget(freed)
  }
  let timer: NodeJS.Timeout | undefined
  app.addHook('onReady', async () => {
    timer = setInterval(() => { leasing.sweep().catch(() => undefined) }, sweptEveryMs).unref()
    // A refusal may hold for days. What is leased ends in a lifetime, and to end it would cost its permits.
    unsubscribe = await topic.subscribe(heard, () => store.clear())
  })
  app.addHook('onClose', async () => {
    clearInterval(timer)
    await leasing.close()
    unlisten()
    unsubscribe?.()
  })
  return leasing
}

import type { Respite } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import { FreedWord } from '../refusals/freed-word.ts'
import { RedisStore } from './redis.ts'
import { RememberingStore } from './remembering.ts'
import type { LimitStore } from './store.ts'

/** The store that the processes of an app share: Redis, asked once for each refusal. It listens from onReady to onClose. */
export function linkedStore (app: FastifyInstance, { timeoutMs }: { timeoutMs: number }): LimitStore {
  const { link, keyspace, bus, clock } = app.respite as Respite
  const word = new FreedWord(bus, link)
  const redis = new RedisStore(link.within(timeoutMs), keyspace, { onUndone: charges => store.freed(charges) })
  const store: RememberingStore = new RememberingStore(redis, { clock, reachable: () => link.state === 'up', tell: freed => word.tell(freed) })
  const unlisten = link.on('generation', () => store.clear())
  let unsubscribe: (() => void) | undefined
  app.addHook('onReady', async () => { unsubscribe = await word.listen(freed => store.forget(freed)) })
  app.addHook('onClose', async () => {
    unlisten()
    unsubscribe?.()
  })
  return store
}

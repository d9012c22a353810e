import { systemClock } from '@respite/redis'
import { openCluster, openNodeRedis, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import t, { type Test } from 'tap'
import { MemoryStore } from '../../src/stores/memory.ts'
import { RememberingStore } from '../../src/stores/remembering.ts'
import type { LimitStore } from '../../src/stores/store.ts'
import { passingContract, storeContract } from '../contracts/store.ts'
import { connected, storesOver } from '../linked.ts'

const remembering = (store: LimitStore) => new RememberingStore(store, { clock: systemClock, reachable: () => true, tell: () => {} })

function contracts (t: Test, fresh: () => { store: LimitStore, again: () => LimitStore }): void {
  const wrapped = () => {
    const { store, again } = fresh()
    return { store: remembering(store), again: () => remembering(again()) }
  }
  storeContract(t, wrapped)
  passingContract(t, wrapped)
}

t.test('in front of memory it answers as a store does', async t => contracts(t, () => {
  const store = new MemoryStore({ clock: systemClock, maxKeys: 10_000 })
  return { store, again: () => store }
}))

t.test('in front of Redis by ioredis', async t => {
  const server = await startRedis()
  const client = new Redis(server.port)
  const app = await connected({ client })
  t.teardown(async () => {
    await app.close()
    client.disconnect()
    await server.stop()
  })
  contracts(t, storesOver(() => app.respite.link))
})

t.test('in front of Redis by node-redis', async t => {
  const { client } = await openNodeRedis(t, createClient)
  const app = await connected({ client })
  t.teardown(() => app.close())
  contracts(t, storesOver(() => app.respite.link))
})

t.test('in front of a Cluster', async t => {
  const { open } = await openCluster(t)
  const app = await connected({ client: open() })
  t.teardown(() => app.close())
  contracts(t, storesOver(() => app.respite.link))
})

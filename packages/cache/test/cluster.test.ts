import { randomInt } from 'node:crypto'
import { Cluster } from 'ioredis'
import t from 'tap'
import { randomToken } from '@respite/redis'
import { gate, startCluster, until } from '@respite/testing'
import { Places, cacheShapes } from '../src/keys.ts'
import { RedisStore } from '../src/stores/redis.ts'
import { assemble } from './assemble.ts'
import { cacheContract } from './contracts/cache.ts'
import { loadingContract } from './contracts/loading.ts'
import { manyContract } from './contracts/many.ts'
import { reportsContract } from './contracts/reports.ts'
import { storeContract } from './contracts/store.ts'
import { valuesContract } from './contracts/values.ts'
import { writingContract } from './contracts/writing.ts'

const cluster = await startCluster()
t.teardown(() => cluster.stop())

async function onCluster () {
  const client = new Cluster([...cluster.startupNodes])
  t.teardown(() => { client.disconnect() })
  const app = await assemble({ client, boot: 'wait' })
  t.teardown(() => app.close())
  await app.ready()
  return app
}

const [here, there] = [await onCluster(), await onCluster()]

storeContract(t, 'Cluster', () => new RedisStore(here.respite.link, new Places(cacheShapes(here.respite.keyspace), randomToken()), here.respite.clock))
cacheContract(t, 'Cluster', () => ({ here, there }))
manyContract(t, 'Cluster', () => ({ here, there }))
loadingContract(t, 'Cluster', () => ({ here, there }))
writingContract(t, 'Cluster', () => ({ here, there }))
reportsContract(t, 'Cluster', () => ({ here, there }))
valuesContract(t, 'Cluster', () => ({ here, there }))

t.test('R11: nothing loaded before deletePattern began is readable after it resolved, with writers racing it on three masters', async t => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31))
  t.comment(`seed ${seed}`)
  let state = seed
  const chance = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32
  for (let round = 0; round < 5; round++) {
    const a = here.cache.namespace('race')
    const b = there.cache.namespace('race')
    let database = 'old'
    const keys = Array.from({ length: 120 }, (_, i) => i === 0 ? '*' : `row:${i}*`)
    const hold = gate()
    const fills = keys.map(async (key, i) => {
      const load = async () => {
        const row = database
        await hold.pass()
        for (let ticks = chance() * 40; ticks > 0; ticks--) await new Promise(resolve => setImmediate(resolve))
        return row
      }
      if (i % 3 === 0) await b.set(key, database)
      else await (i % 3 === 1 ? a : b).getOrSet(key, load)
    })
    await hold.reached
    database = 'new'
    const dropping = a.deletePattern('*')
    hold.open()
    await dropping
    await Promise.all(fills)
    await until('the pushes have come', async () => (await Promise.all(keys.map(key => b.get(key)))).every(value => value !== 'old'))
    const values = await Promise.all(keys.flatMap(key => [a.get(key), b.getOrSet(key, () => database)]))
    t.equal(values.filter(value => value === 'old').length, 0, `round ${round}`)
    await a.clear()
  }
})

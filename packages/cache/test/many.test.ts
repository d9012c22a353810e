import t from 'tap'
import { startRedis } from '@respite/testing'
import { assemble } from './assemble.ts'
import { turnsOf } from './turns.ts'

const server = await startRedis()
t.teardown(() => server.stop())

t.test('many keys cost one round trip when warm, and ask for namespace and tags once', async t => {
  const app = await assemble({ url: server.url, boot: 'wait' })
  t.teardown(() => app.close())
  await app.ready()
  // Without local copies every read goes to Redis.
  app.respite.invalidations.hold('test', true)
  const { cache, respite: { link } } = app
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)
  const tags = ['a', 'b', 'c']
  await cache.set('other', 1)
  const entries = keys.map(key => [key, key] as const)
  t.strictSame(await turnsOf(link, () => cache.setMany(entries)), { commands: 101, roundTrips: 2 }, 'the nonces, then the entries')
  await cache.setMany(entries, { tags })
  t.match(await turnsOf(link, () => cache.getMany(keys)), { roundTrips: 2 }, 'tags that are not yet known to be there are asked for in a second one')
  t.strictSame(await turnsOf(link, async () => { t.strictSame(await cache.getMany(keys), keys) }), { commands: 104, roundTrips: 1 })
  const load = () => t.fail('nothing is missing')
  t.strictSame(await turnsOf(link, () => cache.getOrSetMany(keys, load as never, { tags })), { commands: 104, roundTrips: 1 })
  t.strictSame(await turnsOf(link, () => cache.getOrSet('k1', load, { tags })), { commands: 5, roundTrips: 1 })
  const missing = keys.map(key => `new ${key}`)
  t.strictSame(await turnsOf(link, () => cache.getOrSetMany(missing, ids => ids)), { commands: 201, roundTrips: 2 }, 'one to ask, one to fill')
})

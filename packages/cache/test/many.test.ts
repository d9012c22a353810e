import t from 'tap'
import { gate, startRedis, until } from '@respite/testing'
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

t.test('a call for many keys that fails has freed all of them when it rejects', async t => {
  const app = await assemble({ url: server.url, keyPrefix: 'freed', boot: 'wait' })
  t.teardown(() => app.close())
  await app.ready()
  const { cache, respite: { link } } = app
  const hold = gate()
  const own = link as { run: typeof link.run }
  const { run } = own
  own.run = async (script, keys, args) => {
    if (script.name === 'cache.done' && String(keys[0]).includes('{8}')) await hold.pass()
    return run.call(link, script, keys, args)
  }
  const failing = cache.getOrSetMany([7, 8], () => { throw new TypeError('no rows') })
  let rejected = false
  failing.catch(() => { rejected = true })
  await hold.reached
  await until('the other key is free', async () => await cache.getOrSet('7', () => 'free').catch(() => '') === 'free')
  t.equal(rejected, false)
  hold.open()
  await t.rejects(failing, /no rows/)
  t.strictSame(await cache.getOrSetMany([7, 8], ids => ids), ['free', 8])
})

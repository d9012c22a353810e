import t from 'tap'
import { seeded, startRedis, until } from '@respite/testing'
import { pairOver } from './app-over.ts'
import { monitorOf } from './monitor.ts'

const server = await startRedis()
t.teardown(() => server.stop())

t.test('R10: expire is one script: no client reads an entry to write it back', async t => {
  const { here, keyPrefix } = await pairOver(t, server.url)
  await here.cache.set('k', 'old')
  await here.cache.expire('another') // from here on the server knows the script
  const executed = await monitorOf(t, server.port)
  t.match(await here.cache.expire('k'), { dropped: 1, queued: 0 })
  await here.cache.delete('the last')
  await until('all of it is seen', () => executed.some(({ args }) => args.some(arg => arg.endsWith('{the%20last}'))))
  const about = executed.filter(({ args }) => args.includes(`${keyPrefix}:v1:val:cache:{k}`))
  t.strictSame(about.filter(({ inScript }) => !inScript).map(({ name }) => name), ['evalsha'])
  // Within it nothing of the value is carried: its freshness alone is written over, where it lies.
  t.notOk(about.some(({ name }) => ['get', 'set', 'restore', 'append'].includes(name)))
  t.match(about.find(({ name }) => name === 'setrange'), { inScript: true, args: [/val:cache/, '13', '0000000000000'] })
})

t.test('R10: expire never brings back what was dropped or replaced meanwhile', async t => {
  const { here, there } = await pairOver(t, server.url)
  const chance = seeded(t)
  const pause = async () => { for (let ticks = chance.below(4); ticks > 0; ticks--) await new Promise(resolve => setImmediate(resolve)) }
  for (let round = 0; round < 50; round++) {
    await here.cache.set('k', 'old', { ttl: '1m' })
    await Promise.all([there.cache.expire('k'), pause().then(() => here.cache.delete('k')), pause().then(() => there.cache.expire('k'))])
    t.equal(await there.cache.getOrSet('k', () => 'new', { swr: '1m' }), 'new') || t.bailout('a dropped value came back')
    await Promise.all([pause().then(() => there.cache.expire('k')), here.cache.set('k', 'newer'), pause().then(() => there.cache.expire('k'))])
    const found = await there.cache.getOrSet('k', () => 'newest', { swr: '1m' })
    t.ok(found === 'newer' || found === 'newest') || t.bailout('a replaced value came back')
    await here.cache.delete('k')
  }
})

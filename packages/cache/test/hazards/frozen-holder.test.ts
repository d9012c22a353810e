import t from 'tap'
import { gate, startRedis, until } from '@respite/testing'
import { appOver, ownPrefix, pairOver } from './app-over.ts'
import { startProcess } from './other-process.ts'

const server = await startRedis()
t.teardown(() => server.stop())

t.test('R7: a process that is stopped while it fills, past its lease, does not overwrite what another has filled', async t => {
  const where = { url: server.url, keyPrefix: ownPrefix(), boot: 'wait' as const }
  const options = { lease: 300 }
  const { cache } = await appOver(t, where, options)
  const stopped = await startProcess(t, where, { options })
  for (const way of ['getOrSet', 'writeThrough'] as const) {
    const load = stopped.load('k', 'v1')
    await load.began
    stopped.freeze()
    load.go()
    // Until the lease has ended, whoever waited for it runs the factory alone, and stores nothing.
    await until('another has filled it', async () => {
      const value = way === 'getOrSet' ? await cache.getOrSet('k', () => 'v2') : await cache.writeThrough('k', () => 'v2')
      t.equal(value, 'v2')
      return await cache.get('k') === 'v2'
    })
    stopped.thaw()
    t.equal(await load.answer, 'v1', 'it may have what it loaded')
    t.equal(await cache.get('k'), 'v2')
    await until('its own reads find it too', async () => await stopped.call('get', 'k') === 'v2')
    t.equal(await cache.getOrSet('k', () => 'never'), 'v2')
    await cache.delete('k')
  }
})

t.test('R7: a process that is stopped past its lease stores nothing over an invalidation either', async t => {
  const where = { url: server.url, keyPrefix: ownPrefix(), boot: 'wait' as const }
  const { cache } = await appOver(t, where)
  const stopped = await startProcess(t, where, { options: { lease: 100 } })
  for (const end of [() => cache.delete('k'), () => cache.invalidateTags('t'), () => cache.clear()]) {
    const load = stopped.load('k', 'v1', { tags: ['t'] })
    await load.began
    stopped.freeze()
    load.go()
    await end()
    stopped.thaw()
    t.equal(await load.answer, 'v1')
    t.equal(await cache.getOrSet('k', () => 'v2', { tags: ['t'] }), 'v2')
    await cache.delete('k')
  }
})

t.test('R7: a factory that outlives its lease does not overwrite what another has filled', async t => {
  const { here, there } = await pairOver(t, server.url, { lease: 60 })
  const hold = gate()
  const frozen = here.cache.getOrSet('k', async () => { await hold.pass(); return 'v1' })
  await hold.reached
  await until('the lease has ended', async () => {
    t.equal(await there.cache.getOrSet('k', () => 'v2'), 'v2')
    return await there.cache.get('k') === 'v2'
  })
  hold.open()
  t.equal(await frozen, 'v1')
  for (const { cache } of [there, here]) t.equal(await cache.get('k'), 'v2')
})

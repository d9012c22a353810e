import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { gate, startRedis } from '@respite/testing'
import { assemble } from './assemble.ts'

t.test('those who wait for a holder that has died run one factory when its lease has ended', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const [dead, alive] = await Promise.all([1, 2].map(async () => {
    const app = await assemble({ url: server.url, boot: 'wait' }, { lease: 400 })
    t.teardown(() => app.close())
    await app.ready()
    return app
  }))
  const hold = gate()
  const lost = dead!.cache.getOrSet('k', () => hold.pass().then(() => 'late'))
  await hold.reached
  let runs = 0
  const waiters: Promise<unknown>[] = []
  for (let i = 0; i < 10; i++) {
    waiters.push(alive!.cache.getOrSet('k', async () => { runs++; await setImmediate(); return 'new' }))
    await setImmediate() // a question of its own
  }
  t.strictSame(new Set(await Promise.all(waiters)), new Set(['new']))
  t.equal(runs, 1)
  hold.open()
  t.equal(await lost, 'late')
  t.equal(await dead!.cache.getOrSet('k', () => 'again'), 'new', 'what comes late is not stored')
})

import t from 'tap'
import { gate, startRedis, until } from '@respite/testing'
import { assemble } from './assemble.ts'

t.test('loads what is not there, some at a time, and tells of it', async t => {
  const app = await assemble({}, { concurrency: 3 })
  t.teardown(() => app.close())
  await app.ready()
  await app.cache.set('k0', 'there')
  let at = 0
  let most = 0
  const progress: string[] = []
  const load = (value: number) => async () => {
    most = Math.max(most, ++at)
    await new Promise(resolve => setImmediate(resolve))
    at--
    if (value === 4) throw new TypeError('no row 4')
    return value
  }
  const entries = Array.from({ length: 10 }, (_, i) => ({ key: `k${i}`, ttl: '1h' as const, load: load(i) }))
  const report = await app.invalidator.warmUp(entries, { onProgress: (done, of) => { progress.push(`${done}/${of}`) } })
  t.match(report, { loaded: 9, failed: [{ key: 'k4', error: /no row 4/ }], skipped: [] })
  t.equal(progress.at(-1), '10/10')
  t.ok(most > 1 && most <= 3, `${most} at once`)
  t.equal(await app.cache.get('k0'), 'there')
  t.equal(await app.cache.get('k9'), 9)
})

t.test('ends with its budget, and names what was left', async t => {
  const app = await assemble()
  t.teardown(() => app.close())
  await app.ready()
  const hold = gate()
  const report = await app.invalidator.warmUp([{ key: 'slow', load: () => hold.pass() }, { key: 'next', load: () => 1 }], { concurrency: 1, budget: '50ms' })
  t.match(report, { loaded: 0, failed: [], skipped: ['slow', 'next'] })
  hold.open()
})

t.test('with onReady the app waits for it', async t => {
  const app = await assemble()
  t.teardown(() => app.close())
  const warming = app.invalidator.warmUp([{ key: 'k', load: () => 5 }], { onReady: true })
  await app.ready()
  t.equal(await app.cache.get('k'), 5)
  t.match(await warming, { loaded: 1 })
})

t.test('a budget that is no time is refused', async t => {
  const app = await assemble()
  t.teardown(() => app.close())
  t.throws(() => app.invalidator.warmUp([], { budget: '5 parsecs' as never }), { code: 'FST_RSP_DURATION_INVALID', message: /'budget'/ })
})

t.test('what is wrong is refused with its path and value, before anything is loaded', async t => {
  const app = await assemble()
  t.teardown(() => app.close())
  let loads = 0
  const load = () => { loads++ }
  for (const [entries, options, message] of [
    [[{ key: 'k', load }, { key: 7, load }], {}, /'entries\[1\]\.key' is 7/], [[{ key: 'k' }], {}, /'entries\[0\]\.load' is undefined/], [[null], {}, /'entries\[0\]' is null/],
    ['k', {}, /'entries' is 'k'/], [[], { concurrency: 0 }, /'concurrency' is 0/], [[], { concurrency: 1.5 }, /'concurrency' is 1.5/], [[], { concurrency: NaN }, /'concurrency' is NaN/],
    [[], { concurrency: 1_001 }, /'concurrency' is 1001/], [[], { onProgress: 'log' }, /'onProgress' is 'log'/]
  ] as const) t.throws(() => app.invalidator.warmUp(entries as never, options as never), { code: 'FST_RSP_INVALIDATOR_WARM_UP_INVALID', message })
  t.throws(() => app.invalidator.warmUp([{ key: 'k', load, ttl: -1 }]), { code: 'FST_RSP_DURATION_INVALID', message: /entries\[0\]\.ttl/ })
  t.equal(loads, 0)
})

t.test('the app\'s close ends it: what is loading is told so, nothing more is begun, the report says so', async t => {
  const app = await assemble()
  await app.ready()
  const hold = gate()
  let signal: AbortSignal | undefined
  let begun = 0
  const load = async (context: { signal: AbortSignal }) => {
    begun++
    signal = context.signal
    await hold.pass()
  }
  const warming = app.invalidator.warmUp([{ key: 'a', load }, { key: 'b', load }, { key: 'c', load }], { concurrency: 1, budget: '1h' })
  await hold.reached
  t.equal(signal!.aborted, false)
  await app.close()
  t.match(await warming, { loaded: 0, aborted: true, skipped: ['a', 'b', 'c'] })
  t.equal(signal!.aborted, true)
  hold.open()
  t.match(await app.invalidator.warmUp([{ key: 'd', load }]), { aborted: true, skipped: ['d'] })
  t.equal(begun, 1)
})

t.test('the budget aborts what is loading', async t => {
  const app = await assemble()
  t.teardown(() => app.close())
  await app.ready()
  let ended = ''
  const load = ({ signal }: { signal: AbortSignal }) => new Promise(resolve => signal.addEventListener('abort', () => {
    ended = 'aborted'
    resolve(undefined)
  }))
  t.match(await app.invalidator.warmUp([{ key: 'slow', load }], { budget: '50ms' }), { skipped: ['slow'], unstored: [], aborted: false })
  t.equal(ended, 'aborted')
})

t.test('an entry that has a value nobody keeps is named; a progress callback that throws harms nobody', async t => {
  const app = await assemble()
  t.teardown(() => app.close())
  await app.ready()
  const entries = [{ key: 'undefined', load: () => undefined }, { key: 'null', load: () => null }, { key: 'twice', load: () => 1 }, { key: 'twice', load: () => 2 }]
  const report = await app.invalidator.warmUp(entries, { concurrency: 1, onProgress: () => { throw new TypeError('watcher') } })
  t.match(report, { loaded: 3, unstored: ['undefined'], failed: [], skipped: [] })
  t.equal(await app.cache.get('null'), null)
  t.equal(await app.cache.get('twice'), 1)
})

t.test('nothing to warm is warm at once', async t => {
  const app = await assemble()
  t.teardown(() => app.close())
  await app.ready()
  t.match(await app.invalidator.warmUp([]), { loaded: 0, failed: [], skipped: [], unstored: [] })
})

t.test('over Redis: one process loads for all, each has its local copies; with Redis gone nothing is kept, and the report says so', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const where = { url: server.url, boot: 'wait', deadlineMs: 1_000 } as const
  const apps = [await assemble(where), await assemble(where)]
  for (const app of apps) t.teardown(() => app.close())
  for (const app of apps) await app.ready()
  let loads = 0
  const entries = Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, load: () => { loads++; return i } }))
  const reports = await Promise.all(apps.map(app => app.invalidator.warmUp(entries, { budget: '1m' })))
  for (const report of reports) t.match(report, { loaded: 50, unstored: [], failed: [], skipped: [] })
  t.equal(loads, 50)
  // Pushes of the fills may have ended some of the first copies.
  await until('local copies are there', async () => {
    for (const app of apps) for (const { key } of entries) await app.cache.get(key)
    return apps.every(app => entries.every(({ key }) => app.cache.getLocal(key) !== undefined))
  })
  await server.kill()
  const [app] = apps
  await until('the loss is noticed', () => app!.respite.link.state === 'down')
  t.match(await app!.invalidator.warmUp([{ key: 'new', load: () => 1 }]), { loaded: 0, unstored: ['new'] })
})

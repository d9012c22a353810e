import redis from '@respite/redis'
import { startRedis, until } from '@respite/testing'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import rateLimit, { type LimitOptions } from '../../src/index.ts'
import { linkedApp, seriesOf } from '../app.ts'

const server = await startRedis()
const admin = new Redis(server.port)
t.teardown(async () => {
  admin.disconnect()
  await server.stop()
})
t.beforeEach(async () => { await admin.flushall() })

const key = () => 'k'

async function scripts (): Promise<number> {
  const stats = await admin.info('commandstats')
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}

async function crew (t: Test, limit: LimitOptions, count: number): Promise<ChildProcess[]> {
  const children = Array.from({ length: count }, () => fork(new URL('./lease-holder.ts', import.meta.url), [server.url, JSON.stringify(limit), String(count)]))
  t.teardown(() => { for (const child of children) child.kill('SIGKILL') })
  await Promise.all(children.map(child => once(child, 'message')))
  return children
}

/** How many each has admitted. */
const ask = (children: readonly ChildProcess[], asks: number) => Promise.all(children.map(async child => {
  const answer = once(child, 'message')
  child.send({ asks })
  return Number((await answer)[0])
}))

t.test('two processes that ask without a pause admit a fixed window to the last unit, and not one more, by few calls', async t => {
  const limit = 5_000
  const children = await crew(t, { name: 'n', limit, per: '1d', algorithm: 'fixed-window', lease: true }, 2)
  const before = await scripts()
  const admitted = await ask(children, 2 * limit)
  t.equal(admitted[0]! + admitted[1]!, limit, admitted.join(' + '))
  t.ok(admitted.every(units => units > 0))
  const calls = await scripts() - before
  t.ok(calls < limit / 4, `${calls} calls`)
})

t.test('two processes at full demand use at least 95 % of gcra, and no more than it has', async t => {
  // A unit in 24 s: what comes back meanwhile is nothing.
  const limit = 3_600
  const children = await crew(t, { name: 'n', limit, per: '1d', algorithm: 'gcra', lease: true }, 2)
  const [seconds] = await admin.time()
  const [one, other] = await ask(children, 2 * limit) as [number, number]
  const passed = Number((await admin.time())[0]) - Number(seconds) + 1
  const most = limit + Math.ceil(passed / 24) + 1
  t.ok(one + other >= 0.95 * limit && one + other <= most, `${one} + ${other} of ${limit} to ${most}`)
})

t.test('a process that is closed gives back what it has not spent', async t => {
  const children = await crew(t, { name: 'n', limit: 10_000, per: '1d', algorithm: 'fixed-window', lease: true }, 2)
  await ask(children, 200)
  for (const child of children) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  const app = await linkedApp(t, { named: [{ name: 'n', limit: 10_000, per: '1d', algorithm: 'fixed-window' }] }, { url: server.url })
  t.match(await app.rateLimit.peek('n', 'k'), { remaining: 10_000 - 400 })
})

t.test('a close waits for a grant that is under way, and what it did not spend goes back; it ends where none comes', async t => {
  const own = await startRedis()
  t.teardown(async () => {
    own.thaw()
    await own.stop()
  })
  const options = { named: [{ name: 'n', limit: 10_000, per: '1d', algorithm: 'fixed-window', key, onStoreError: 'open', lease: { lifetimeMs: '1m' } }] } as const
  const watcher = await linkedApp(t, options, { url: own.url })
  let closing!: Promise<void>
  const app = await linkedApp(t, { ...options, timeoutMs: 10_000 }, { url: own.url, deadlineMs: 10_000 }, app => {
    closing = new Promise(resolve => { app.addHook('onClose', async () => resolve()) })
  })
  const stuck = await linkedApp(t, { ...options, timeoutMs: 100 }, { url: own.url })
  for (let i = 0; i < 10; i++) await app.rateLimit.take('n', 'k')
  await watcher.rateLimit.reset('n', 'k')
  await until('the lease to be ended', async () => (await app.rateLimit.peek('n', 'k')).remaining === 10_000)
  own.freeze()
  const unanswered = stuck.rateLimit.take('n', 'other')
  await stuck.close()
  t.match(await unanswered, { by: 'none' })
  const asked = app.rateLimit.take('n', 'k')
  const closed = app.close()
  await closing
  own.thaw()
  t.match(await asked, { allowed: true, by: 'store' })
  t.match(await seriesOf(app, 'rate_limit_lease_units_total'), { 'n granted': Number })
  await closed
  const units = await seriesOf(app, 'rate_limit_lease_units_total')
  t.ok(units['n returned']! > 0)
  t.match(await watcher.rateLimit.peek('n', 'k'), { remaining: 9_999 })
})

t.test('what is held of a key that is no longer asked for goes back, while the process lives on', async t => {
  const named = [{ name: 'n', limit: 1_000, per: '1d', algorithm: 'fixed-window', key, lease: { lifetimeMs: 100 } }] as const
  const link = { url: server.url, keyPrefix: 'quiet' }
  const [app, watcher] = [await linkedApp(t, { named }, link), await linkedApp(t, { named }, link)]
  const granted = async () => (await seriesOf(app, 'rate_limit_lease_units_total'))['n granted'] ?? 0
  let admitted = 0
  await until('a grant', async () => {
    if ((await app.rateLimit.take('n', 'k')).allowed) admitted++
    return await granted() > 0
  })
  await until('it to be back', async () => (await watcher.rateLimit.peek('n', 'k')).remaining === 1_000 - admitted, 20_000)
})

t.test('what a killed process held is lost until its window is over, and nothing is admitted in its place', async t => {
  const limit = 2_000
  const children = await crew(t, { name: 'n', limit, per: '1d', algorithm: 'fixed-window', lease: true }, 2)
  const [first] = await ask(children.slice(0, 1), 300)
  children[0]!.kill('SIGKILL')
  const [second] = await ask(children.slice(1), 3 * limit)
  t.ok(first! + second! <= limit && second! > limit / 2, `${first} + ${second} of ${limit}`)
})

for (const [how, end] of Object.entries({
  reset: (app: Awaited<ReturnType<typeof linkedApp>>) => app.rateLimit.reset('n', 'k'),
  block: (app: Awaited<ReturnType<typeof linkedApp>>) => app.rateLimit.block('n', 'k', '1h'),
  setLimit: (app: Awaited<ReturnType<typeof linkedApp>>) => app.rateLimit.setLimit('n', { limit: 10 })
})) {
  t.test(`${how} in one process ends what another has leased`, async t => {
    // No lifetime ends meanwhile.
    const options = { named: [{ name: 'n', limit: 1_000, per: '1d', algorithm: 'fixed-window', key, lease: { lifetimeMs: '60s' } }] } as const
    const link = { url: server.url, deadlineMs: 5_000, keyPrefix: how }
    const [one, other] = [await linkedApp(t, options, link), await linkedApp(t, options, link)]
    await until('both to hear each other', () => [one, other].every(app => app.respite.bus.instances === 2), 20_000)
    for (let i = 0; i < 20; i++) await other.rateLimit.take('n', 'k')
    const before = await scripts()
    await other.rateLimit.take('n', 'k')
    t.equal(await scripts(), before, 'it is leased')
    await end(one)
    // Far fewer than what is held.
    let asked = 0
    await until('the other to ask again', async () => {
      const calls = await scripts()
      await other.rateLimit.take('n', 'k')
      asked++
      return await scripts() > calls
    }, 20_000)
    const decision = await other.rateLimit.take('n', 'k')
    t.equal(decision.allowed, how === 'reset', `after ${asked}`)
  })
}

t.test('while Redis is away the limit does what it says', async t => {
  const own = await startRedis()
  t.teardown(() => own.stop())
  const named = [{ name: 'local', onStoreError: 'local' }, { name: 'closed', onStoreError: 'closed' }].map(one =>
    ({ ...one, limit: 1_000, per: '1d', algorithm: 'fixed-window', key, lease: true }) as LimitOptions)
  const app = await linkedApp(t, { named }, { url: own.url })
  for (let i = 0; i < 20; i++) for (const { name } of named) t.match(await app.rateLimit.take(name, 'k'), { allowed: true, by: 'store' })
  await own.kill()
  await until('the loss to be seen', () => app.respite.link.state === 'down', 20_000)
  t.match(await app.rateLimit.take('local', 'k'), { allowed: true, by: 'local' }, 'nothing is spent of what may have been lost')
  await t.rejects(app.rateLimit.take('closed', 'k'), { code: 'FST_RSP_RATELIMIT_STORE_DOWN' })
})

t.test('every key of a leased limit has an expiry', async t => {
  const named = (['fixed-window', 'gcra'] as const).map(algorithm => ({ name: algorithm, limit: 1_000, per: '1h', algorithm, key, lease: true }) as const)
  const app = await linkedApp(t, { named }, { url: server.url })
  for (let i = 0; i < 50; i++) for (const { name } of named) await app.rateLimit.take(name, 'k')
  const keys = await admin.keys('*limit:*')
  t.equal(keys.length, 2)
  for (const one of keys) t.ok(await admin.pttl(one) > 0, one)
})

t.test('a lease that saves nothing is told of at boot, one that does is not', async t => {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } })
  t.teardown(() => app.close())
  await app.register(redis, { url: server.url })
  const lease = { per: '1m', algorithm: 'gcra', lease: true } as const
  await app.register(rateLimit, { named: [{ name: 'few', limit: 29, ...lease }, { name: 'many', limit: 30, ...lease }] })
  await app.ready()
  const told = lines.map(line => JSON.parse(line) as { limit?: string, msg: string }).filter(({ msg }) => msg.includes('leases'))
  t.match(told, [{ limit: 'few', msg: /less than one permit/ }])
  t.equal(told.length, 1)
})

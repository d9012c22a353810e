import { once } from 'node:events'
import { Redis } from 'ioredis'
import t from 'tap'
import { startRedis, until } from '@respite/testing'
import { sqliteStore } from '@respite/session'
import { bearer } from '../shop.ts'
import { ownFile, startProcess } from './other-process.ts'

// Processes take long to start where many tests run.
t.setTimeout(600_000)

t.test('T6: a process that dies after any of its commands leaves no key without an expiry, and what had ended stays ended', async t => {
  const server = await startRedis()
  const client = new Redis(server.port, '127.0.0.1')
  t.teardown(async () => {
    client.disconnect()
    await server.stop()
  })
  const shared = { url: server.url, file: ownFile(t) }
  // A touch at every request; polls far apart, so that only what is done for the journey counts.
  const manner = { options: { touchEvery: 0, pollEvery: '2s' as const, trust: '20s' as const, durableDown: '60s' as const } }
  const survivor = await startProcess(t, shared)
  const steps = await (await startProcess(t, shared, manner)).journey('user-0') as number
  t.ok(steps >= 8, `${steps} steps`)
  const dies = async (step: number) => {
    const one = await startProcess(t, shared, { ...manner, diesAfter: step })
    const gone = once(one.child, 'exit')
    const dead = await one.journey(`user-${step}`).then(() => false, () => true)
    t.ok(dead, `dies after step ${step}`)
    t.strictSame(await gone, [null, 'SIGKILL'])
    return one.said
  }
  const noExpiry = async () => {
    const keys = await client.keys('respite:v1:session:*')
    return (await Promise.all(keys.map(async key => [key, await client.pttl(key)] as const))).filter(([, pttl]) => pttl === -1)
  }
  const said: string[] = []
  for (let step = 1; step < steps; step += 3) {
    said.push(...(await Promise.all([step, step + 1, step + 2].filter(one => one < steps).map(dies))).flat())
    t.strictSame(await noExpiry(), [], `after step ${step}`)
  }
  const status = async (token: string) => (await survivor.inject({ url: '/me', headers: bearer(token) })).statusCode
  const ended = said.filter(text => text.startsWith('ended ')).map(text => text.slice(6))
  t.ok(ended.length > 0)
  for (const token of ended) t.equal(await status(token), 401)
  // A log-in that was over when its process died holds.
  const made = said.filter(text => text.startsWith('made ')).map(text => text.slice(5)).filter(token => !ended.includes(token))
  t.ok(made.length > 0)
  const seen = new Set(await Promise.all(made.map(status)))
  t.ok(seen.has(200))
  t.notOk([...seen].some(code => code !== 200 && code !== 401))
  // What was left half done is done: nobody waits for Redis any more.
  const store = sqliteStore(shared.file)
  t.teardown(() => store.close())
  await until('the pending rows to go', async () => (await store.pending(10)).length === 0, 30_000)
})

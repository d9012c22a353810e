import t from 'tap'
import { startRedis, until } from '@respite/testing'
import { bearer } from '../shop.ts'
import { ownFile, startProcess } from './other-process.ts'

// Processes take long to start where many tests run.
t.setTimeout(600_000)

const tenMinutesMs = 600_000

t.test('T13: processes whose clocks are ten minutes ahead and behind give the same verdicts', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const shared = { url: server.url, file: ownFile(t) }
  // Sessions that a clock ten minutes off would end at once, or keep for ten minutes more.
  const options = { idle: '3m', touchEvery: '1m', absolute: '5m' } as const
  const all = await Promise.all([-tenMinutesMs, 0, tenMinutesMs].map(clockOffsetMs => startProcess(t, shared, { options, clockOffsetMs })))
  const clocks = await Promise.all(all.map(one => one.now()))
  t.ok(clocks[2]! - clocks[0]! > tenMinutesMs, 'their clocks differ')
  const verdicts = (token: string, url = '/me') => Promise.all(all.map(async one => (await one.inject({ url, headers: bearer(token) })).statusCode))
  for (const [i, maker] of all.entries()) {
    const [token] = await maker.logins('ada', 1) as [string]
    t.strictSame(await verdicts(token), [200, 200, 200])
    t.strictSame(await verdicts(token, '/fresh'), [200, 200, 200], 'nor is the log-in an old one')
    const ender = all[(i + 1) % 3]!
    t.equal((await ender.inject({ method: 'POST', url: '/logout', headers: bearer(token) })).statusCode, 200)
    t.strictSame(await verdicts(token), [401, 401, 401])
  }
})

t.test('T13: a session that ends by time does so at once for processes whose clocks differ by twenty minutes', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const shared = { url: server.url, file: ownFile(t) }
  const options = { idle: '2s', touchEvery: '1s', absolute: '2s' } as const
  const all = await Promise.all([-tenMinutesMs, tenMinutesMs].map(clockOffsetMs => startProcess(t, shared, { options, clockOffsetMs })))
  const [token] = await all[0]!.logins('ada', 1) as [string]
  const status = async (at: number) => (await all[at]!.inject({ url: '/me', headers: bearer(token) })).statusCode
  await until('its end', async () => await status(0) === 401, 30_000)
  t.equal(await status(1), 401)
  t.equal(await status(0), 401)
})

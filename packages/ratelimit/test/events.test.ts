import t from 'tap'
import type { Exceeded, OnExceeded } from '../src/index.ts'
import { makeApp, served, statuses } from './app.ts'

const one = { name: 'one', limit: 1, per: '1m' } as const

t.test('onExceeded is told of each refusal: whom it was of, by which limits, and the request', async t => {
  const seen: [Exceeded, string | undefined][] = []
  const { app } = await makeApp(t, { limits: [one, { ...one, name: 'never', limit: 0 }], named: [{ ...one, name: 'sms', key: () => 'k' }], onExceeded: (what, request) => { seen.push([what, request?.url]) } })
  app.get('/', served)
  await app.inject('/')
  await app.rateLimit.take('sms', '555')
  t.same(seen.splice(0), [[{ shadow: false, limits: [{ name: 'never', key: '127.0.0.1', limit: 0, windowMs: 60_000, retryAfterMs: Infinity }] }, '/']])
  await app.rateLimit.take('sms', '555')
  t.same(seen, [[{ shadow: false, limits: [{ name: 'sms', key: '555', limit: 1, windowMs: 60_000, retryAfterMs: 60_000 }] }, undefined]])
})

t.test('what a hook throws, at once or later, is logged and breaks nothing', async t => {
  const hooks: OnExceeded[] = [
    () => { throw new TypeError('broken hook') },
    async () => { throw new TypeError('broken hook') },
    () => { throw undefined } // eslint-disable-line no-throw-literal
  ]
  for (const onExceeded of hooks) {
    const lines: string[] = []
    const { app } = await makeApp(t, { limits: [one], onExceeded }, { server: { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } } })
    app.get('/', served)
    t.same(await statuses(app, 2, '/'), [200, 429])
    await new Promise(setImmediate)
    t.equal(lines.filter(line => line.includes('a hook of the limits failed')).length, 1)
  }
})

t.test('a hook that is none fails the boot', async t => {
  await t.rejects(makeApp(t, { onExceeded: 'log' as unknown as OnExceeded }), { message: /'onExceeded' must be of type function, got 'log'/ })
})

import { Writable } from 'node:stream'
import t from 'tap'
import { bearer, cookieOf, loggedIn, status } from '../shop.ts'
import { openHouse } from './house.ts'

t.test('T10: no token, secret or user id in trace logs, errors, events, bus messages and metrics', async t => {
  const house = await openHouse(t)
  let written = ''
  const stream = new Writable({ write (chunk, _, done) { written += chunk; done() } })
  const app = await house.app({ pollEvery: '100ms', trust: '500ms', durableDown: '1s' }, { server: { logger: { level: 'trace', stream } } })
  const told: unknown[] = []
  for (const name of ['created', 'renewed', 'revoked', 'expired', 'lost', 'reuse'] as const) app.sessions.on(name, event => told.push(event.id))
  await app.respite.bus.subscribe('session.ended', value => { told.push(value) }, { ownMessages: true })

  const user = 'ada-lovelace-1815'
  const tokens = [await loggedIn(app, user), await loggedIn(app, user, { note: 'a-secret-note' })]
  tokens.push(cookieOf(await app.inject({ method: 'POST', url: `/login/${user}` })).split('=')[1]!)
  const errors = []
  for (const token of tokens) {
    await status(app, token)
    errors.push((await app.inject({ url: '/me', headers: { ...bearer(`${token.slice(0, -1)}!`), cookie: `__Host-sid=${token}x` } })).body)
  }
  await house.server.kill()
  app.watched.failure = new TypeError('the database is gone')
  for (const token of tokens) errors.push((await app.inject({ url: '/me', headers: bearer(token) })).body)
  errors.push((await app.inject({ method: 'POST', url: '/logout', headers: bearer(tokens[2]!) })).body)
  app.watched.failure = undefined
  await app.sessions.revokeAll(user)

  const series = (await app.respite.metrics.read()).flatMap(metric => [...metric.entries()].map(([labels]) => [metric.name, ...labels]))
  const all = JSON.stringify([errors, told, series]) + written.replaceAll(new RegExp(`/login/${user}`, 'g'), '')
  t.ok(told.length > 0 && series.length > 0 && written.length > 1_000)
  for (const [what, text] of Object.entries({ user, note: 'a-secret-note', key: 'a test\'s secret' })) t.notOk(all.includes(text), what)
  for (const token of tokens) for (const part of token.split('.').slice(1)) t.notOk(all.includes(part))
})

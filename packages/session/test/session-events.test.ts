import t, { type Test } from 'tap'
import { until } from '@respite/testing'
import type { SessionListener } from '@respite/session'
import { makeApp } from './app.ts'

/** An app whose errors in the log are seen. */
async function open (t: Test) {
  const logged: { msg: string, event?: string, err?: { message: string } }[] = []
  const stream = { write: (line: string) => { logged.push(JSON.parse(line)) } }
  const app = await makeApp({}, { server: { logger: { level: 'error', stream } } })
  t.teardown(() => app.close())
  await app.ready()
  return { app, logged }
}

t.test('a listener that throws or rejects is logged, and neither the login nor the other listeners know of it', async t => {
  const { app, logged } = await open(t)
  const unhandled: unknown[] = []
  const onUnhandled = (error: unknown) => { unhandled.push(error) }
  process.on('unhandledRejection', onUnhandled)
  t.teardown(() => { process.off('unhandledRejection', onUnhandled) })
  const told: string[] = []
  app.sessions.on('created', () => { throw new Error('at once') })
  app.sessions.on('created', async () => { throw new Error('later') })
  app.sessions.on('created', ({ id }) => { told.push(id) })
  const { id } = await app.sessions.login('ada')
  t.same(told, [id])
  // Node tells of an unhandled rejection once all that was queued has run.
  await until('both in the log, or the rejection', () => logged.length === 2 || unhandled.length > 0)
  t.same(unhandled, [])
  t.match(logged, [{ msg: 'a session listener failed', event: 'created', err: { message: 'at once' } }, { event: 'created', err: { message: 'later' } }])
})

t.test('listeners may come and go while they are told', async t => {
  const { app } = await open(t)
  const told: string[] = []
  let stop: () => void
  const again: SessionListener = () => {
    told.push('again')
    stop()
    if (told.length < 10) stop = app.sessions.on('created', again)
  }
  stop = app.sessions.on('created', again)
  await app.sessions.login('ada')
  t.same(told, ['again'])
  await app.sessions.login('bob')
  t.same(told, ['again', 'again'])
})

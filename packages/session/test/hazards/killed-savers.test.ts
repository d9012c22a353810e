import { once } from 'node:events'
import t from 'tap'
import { startRedis, until } from '@respite/testing'
import { sqliteStore } from '@respite/session'
import { Tokens } from '../../src/token.ts'
import { secrets } from '../grounds.ts'
import { bearer } from '../shop.ts'
import { ownFile, startProcess } from './other-process.ts'

// Processes take long to start where many tests run.
t.setTimeout(600_000)

t.test('what a killed process had saved into Redis alone is there for the next one, which writes the row', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const shared = { url: server.url, file: ownFile(t) }
  const killed = await startProcess(t, shared, { options: { data: 'behind', flushEvery: '1h' } })
  const [token] = await killed.logins('ada', 1) as [string]
  const headers = bearer(token)
  await until('the copy', async () => (await killed.inject({ url: '/me', headers })).statusCode === 200)
  for (const name of ['a', 'b']) t.equal((await killed.inject({ method: 'POST', url: `/field/${name}`, payload: { name }, headers })).statusCode, 200)
  const store = sqliteStore(shared.file)
  t.teardown(() => store.close())
  const { hash } = new Tokens(secrets, credential => credential).verify(token)!
  const row = async () => {
    const found = await store.find(hash)
    return 'sid' in found ? [...found.fields.keys()] : []
  }
  t.same(await row(), [], 'Redis alone has them')
  const gone = once(killed.child, 'exit')
  killed.child.kill('SIGKILL')
  t.same(await gone, [null, 'SIGKILL'])
  const next = await startProcess(t, shared, { options: { data: 'behind', flushEvery: '100ms' } })
  t.same(JSON.parse((await next.inject({ url: '/fields', headers })).body), { a: { name: 'a' }, b: { name: 'b' } })
  await until('the row', async () => (await row()).length === 2, 30_000)
})

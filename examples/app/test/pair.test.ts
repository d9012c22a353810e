import { existsSync, readFileSync } from 'node:fs'
import { freePort, until } from '@respite/testing'
import t from 'tap'
import { client } from './journeys/client.ts'
import { enter } from './journeys/journeys.ts'
import { start } from './process.ts'

const DASHBOARD_TOKEN = 'a token of a test, for the board.'

t.test('two servers over one Redis, in turn behind one port', async t => {
  const url = `http://127.0.0.1:${await freePort()}`
  const program = start(t, 'pair.ts', { PORT: new URL(url).port, HOST: '127.0.0.1', DATA_DIR: t.testdir(), LOG_LEVEL: 'silent', DASHBOARD_TOKEN })
  await until('the tour to be printed', () => program.output.includes('Ctrl-C'), 90_000)
  const visitor = client(url, '192.0.2.1')
  const servers = async () => new Set([await visitor.get('/count'), await visitor.get('/count')].map(answer => answer.headers.get('x-served-by')))
  let events: ReadableStreamDefaultReader<Uint8Array> | undefined
  const parts = childrenOf(program.child.pid!)

  t.test('the tour names both', async t => {
    t.equal((await servers()).size, 2)
    for (const server of await servers()) t.match(program.output, server!)
  })

  t.test('a session of one is a session of the other, and ends for both', async t => {
    const token = await enter({ urls: [url] }, 'ada', '192.0.2.1')
    for (let i = 0; i < 2; i++) t.equal((await visitor.as(token).get('/sessions')).status, 200)
    const next = await enter({ urls: [url] }, 'ada', '192.0.2.1')
    for (let i = 0; i < 2; i++) t.equal((await visitor.as(token).get('/sessions')).status, 401)
    t.equal((await visitor.as(next).get('/ping')).status, 200)
    t.equal((await visitor.as(next).get('/ping')).status, 429, 'and its limit is one limit')
  })

  t.test('a change through one is seen by the other', async t => {
    for (let i = 1; i <= 6; i++) {
      await visitor.post('/entries', { title: `entry ${i}`, content: '' })
      for (let j = 0; j < 2; j++) t.equal((await visitor.get('/entries')).json.total, i)
    }
  })

  t.test('the dashboards that the tour names are open, and the token opens them through the proxy', async t => {
    const named = [...program.output.matchAll(/^ {2}(http:\/\/127\.0\.0\.1:\d+\/dashboard)$/gm)].map(([, address]) => address!)
    t.equal(named.length, 2)
    for (const address of named) t.equal((await fetch(address, { redirect: 'manual', headers: { connection: 'close' } })).status, 200, address)
    t.match(program.output, `Through ${url}/dashboard you sign in with your DASHBOARD_TOKEN`)
    t.notMatch(program.output, DASHBOARD_TOKEN)
    t.match((await visitor.get('/dashboard')).text, 'Sign in to the dashboard')
    const { status, headers } = await visitor.post('/dashboard/session', { token: DASHBOARD_TOKEN })
    t.equal(status, 200)
    const cookie = headers.get('set-cookie')!.split(';')[0]!
    for (let i = 0; i < 2; i++) t.match((await visitor.get('/dashboard', { cookie })).text, 'id="sign-out"', 'whichever server answers')
    const { value } = await (events = (await fetch(`${url}/dashboard/events`, { headers: { cookie } })).body!.getReader()).read()
    t.match(Buffer.from(value!).toString(), /^retry: /)
  })

  // With somebody who looks on.
  t.test('Ctrl-C ends all of it', async t => {
    t.ok(parts.length >= 3 || !existsSync('/proc/self/task'), 'two servers and a Redis')
    program.child.kill('SIGINT')
    t.equal(await program.ended, 0)
    while (!(await events!.read()).done);
    for (const part of parts) t.throws(() => process.kill(part, 0), { code: 'ESRCH' })
    await t.rejects(visitor.get('/count'))
  })
})

// Where the system tells; elsewhere the list is empty.
function childrenOf (pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').map(Number) : []
}

import Fastify from 'fastify'
import t from 'tap'
import { refuseBadInput } from '../src/bad-input.ts'
import { FST_RSP_APP_DATABASE_DOWN } from '../src/errors.ts'
import { RequestLog } from '../src/request-log.ts'

function appWith (level: string) {
  const lines: Array<{ level: number, msg: string, err?: { message: string } }> = []
  const app = Fastify({ logger: { level, stream: { write: (line: string) => { lines.push(JSON.parse(line)) } } }, logController: new RequestLog() })
  refuseBadInput(app)
  app.get('/fine', async () => ({}))
  app.get('/broken', async () => { throw new TypeError('column "password_hash" does not exist') })
  app.get('/down', async () => { throw new FST_RSP_APP_DATABASE_DOWN() })
  app.post('/body', async () => ({}))
  return { app, lines }
}

t.test('requests that do well, or that the client got wrong, are no lines at info', async t => {
  const { app, lines } = appWith('info')
  t.equal((await app.inject('/fine')).statusCode, 200)
  t.equal((await app.inject('/nowhere')).statusCode, 404)
  t.equal((await app.inject({ method: 'POST', url: '/body', headers: { 'content-type': 'application/json' }, body: '{' })).statusCode, 400)
  t.same(lines, [])
})

t.test('each request is seen at debug', async t => {
  const { app, lines } = appWith('debug')
  await app.inject('/fine')
  await app.inject('/nowhere')
  t.same(lines.map(line => line.msg), ['incoming request', 'request completed', 'incoming request', 'route not found', 'request completed'])
})

t.test('what broke inside is one line with its cause, and the client is not told of it', async t => {
  const { app, lines } = appWith('info')
  const answer = await app.inject('/broken')
  t.same(answer.json(), { statusCode: 500, code: 'FST_RSP_APP_INTERNAL', error: 'Internal Server Error', message: 'something went wrong here' })
  t.match(lines, [{ level: 50, err: { message: /column "password_hash" does not exist/ } }])
  t.equal(lines.length, 1)
})

t.test('a refusal on our side is told as it is, and is one line', async t => {
  const { app, lines } = appWith('info')
  t.match((await app.inject('/down')).json(), { statusCode: 503, code: 'FST_RSP_APP_DATABASE_DOWN' })
  t.match(lines, [{ level: 50 }])
  t.equal(lines.length, 1)
})

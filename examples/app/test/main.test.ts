import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { startRedis, until } from '@respite/testing'
import t from 'tap'
import { client } from './journeys/client.ts'
import { enter } from './journeys/journeys.ts'
import { secrets, serve } from './journeys/server.ts'
import { start } from './process.ts'

const body = JSON.stringify({ username: 'ada', password: 'correct horse' })

t.test('a wrong environment is a line that names the variable, and nothing is started', async t => {
  const program = start(t, 'main.ts', { PORT: 'abc' })
  t.equal(await program.ended, 1)
  t.equal(program.output, "PORT must be a port, 0 to 65535; 0 takes a free one; got 'abc'\n")
})

t.test('SIGTERM: stops accepting, finishes what is in flight, flushes what was counted, and ends with 0', async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const shared = { ...secrets, REDIS_URL: redis.url, DATA_DIR: t.testdir(), HOST: '0.0.0.0' }
  const program = start(t, 'main.ts', { ...shared, PORT: '0' })
  const port = await program.listening
  const token = await enter({ urls: [`http://127.0.0.1:${port}`] }, 'grace', '192.0.2.1')
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  t.teardown(() => socket.destroy())
  socket.write(`POST /signup HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n`)
  t.match(await reading(socket), /^HTTP\/1\.1 100 Continue/, 'the request is in flight')
  t.equal((await client(`http://127.0.0.1:${port}`, '192.0.2.1').as(token).get('/ping')).status, 200)

  program.child.kill('SIGTERM')
  program.child.kill('SIGTERM')
  await until('new connections to be refused', () => refuses(port))
  socket.write(body)
  t.match(await reading(socket), /^HTTP\/1\.1 200 OK[^]*\r\n\r\n\{\}$/)
  t.equal(await program.ended, 0, 'though the client would have kept its connection, and the signal came twice')
  t.match(program.output, /"msg":"SIGTERM: closing"/)
  t.match(program.output, /session cookies work on localhost only/, 'it listened on more than loopback')

  const next = client((await serve(t, shared)).url, '192.0.2.1')
  t.match(await next.get('/top'), { status: 200, text: '{"topUsersCallingAPIAllTime":["CallingPingAPI userID:1 called 1 times"]}' })
  t.equal((await next.as(token).get('/sessions')).status, 200, 'and the session lives')
})

const reading = async (socket: Socket) => (await once(socket, 'data'))[0] as string

async function refuses (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true // ECONNREFUSED
  } finally {
    socket.destroy()
  }
}

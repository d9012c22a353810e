import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { startRedis } from '../../src/pair/redis-process.ts'

t.test('starts a Redis that answers, and ends it', async t => {
  const redis = await startRedis()
  const port = Number(new URL(redis.url).port)
  const socket = connect(port, '127.0.0.1')
  socket.write('PING\r\n')
  t.match(String((await once(socket, 'data'))[0]), '+PONG')
  socket.destroy()
  await redis.stop()
  await t.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' })
  await redis.stop()
  t.pass('to stop it twice is to stop it once')
})

t.test('without a Redis on PATH it says what is needed', async t => {
  const { PATH } = process.env
  process.env.PATH = '/nowhere'
  t.teardown(() => { process.env.PATH = PATH })
  await t.rejects(startRedis(), { code: 'FST_RSP_APP_NO_REDIS', message: /needs redis-server or valkey-server on PATH, or REDIS_URL/ })
})

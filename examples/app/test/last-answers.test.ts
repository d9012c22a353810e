import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { gate } from '@respite/testing'
import Fastify from 'fastify'
import t from 'tap'
import { endConnectionsOnClose } from '../src/last-answers.ts'

t.test('an answer given while the app closes ends its connection', async t => {
  const app = Fastify()
  const handler = gate()
  endConnectionsOnClose(app)
  app.addHook('preClose', async () => handler.open())
  app.get('/', async () => { await handler.pass(); return {} })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('data', text => { answer += text })
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await handler.reached
  const closed = app.close()
  await once(socket, 'close')
  t.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n/)
  await closed
  t.pass('and the app has closed')
})

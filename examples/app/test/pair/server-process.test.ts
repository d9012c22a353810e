import t from 'tap'
import { startServer } from '../../src/pair/server-process.ts'

t.test('a server that ends before it listens says so', async t => {
  const server = startServer({ ...process.env, PORT: 'abc' })
  await t.rejects(server.port, { code: 'FST_RSP_APP_PART_ENDED', message: 'a server ended at start (exit 1)' })
  await server.stop()
})

import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startOwnServer } from '../../load/own-server.mjs'
import { execArgv } from '../process.ts'

t.test('a server of its own answers, and is gone when it is stopped', async t => {
  const own = await startOwnServer(fileURLToPath(new URL('../../src/main.ts', import.meta.url)), execArgv)
  t.equal((await fetch(`${own.url}/health`)).status, 200)
  await own.stop()
  await t.rejects(fetch(`${own.url}/health`))
})

import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { startRedis } from '@respite/testing'
import { assemble, coded } from './assemble.ts'
import { cacheContract } from './contracts/cache.ts'
import { loadingContract } from './contracts/loading.ts'
import { manyContract } from './contracts/many.ts'
import { reportsContract } from './contracts/reports.ts'
import { valuesContract } from './contracts/values.ts'
import { writingContract } from './contracts/writing.ts'

const server = await startRedis()
t.teardown(() => server.stop())

const app = await assemble({}, coded)
t.teardown(() => app.close())

const apps: FastifyInstance[] = []
for (let i = 0; i < 2; i++) {
  const app = await assemble({ url: server.url, boot: 'wait' }, coded)
  t.teardown(() => app.close())
  await app.ready()
  apps.push(app)
}

for (const [name, here, there] of [['embedded', app, app], ['Redis', apps[0]!, apps[1]!]] as const) {
  const what = `${name}, msgpack, compressed, hashed keys`
  const pair = () => ({ here, there, hashed: true })
  cacheContract(t, what, pair)
  manyContract(t, what, pair)
  loadingContract(t, what, pair)
  writingContract(t, what, pair)
  reportsContract(t, what, pair)
  valuesContract(t, what, pair)
}

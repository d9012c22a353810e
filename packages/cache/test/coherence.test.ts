import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { seeded, startRedis } from '@respite/testing'
import { assemble } from './assemble.ts'

const server = await startRedis()
t.teardown(() => server.stop())

t.test('no read is older than what was invalidated before it began, whatever races', async t => {
  const { below: next } = seeded(t)
  const apps: FastifyInstance[] = []
  for (let i = 0; i < 3; i++) {
    const app = await assemble({ url: server.url, boot: 'wait' })
    t.teardown(() => app.close())
    await app.ready()
    apps.push(app)
  }
  // Without local copies every answer comes through Redis, and the promise holds for the invalidations of all processes.
  apps[2]!.respite.invalidations.hold('test', true)

  const keys = 6
  const rows = Array.from({ length: keys }, () => 0)
  const floors = apps.map(() => rows.map(() => 0))
  const broken: string[] = []
  const pause = async (most: number) => { for (let ticks = next(most); ticks > 0; ticks--) await new Promise(resolve => setImmediate(resolve)) }

  async function read (at: number, key: number) {
    const floor = at === 2 ? Math.max(...floors.map(own => own[key]!)) : floors[at]![key]!
    const value = await apps[at]!.cache.getOrSet(`k:${key}`, async () => {
      const row = rows[key]!
      await pause(6)
      return row
    }, { tags: [`t:${key % 2}`] })
    if (value < floor) broken.push(`process ${at} read v${value} of k:${key}, v${floor} had been invalidated`)
  }

  async function write (at: number, key: number) {
    const { cache } = apps[at]!
    const version = ++rows[key]!
    const ways = [() => cache.delete(`k:${key}`), () => cache.delete(`k:${key}`), () => cache.invalidateTags(`t:${key % 2}`), () => cache.deletePattern(`k:${key}*`), () => cache.clear()]
    const report = await ways[next(ways.length)]!()
    if (report.queued === 0) floors[at]![key] = Math.max(floors[at]![key]!, version)
  }

  let left = 6_000
  const worker = async () => {
    while (left-- > 0) {
      await (next(12) === 0 ? write(next(3), next(keys)) : read(next(3), next(keys)))
      await pause(3)
    }
  }
  await Promise.all(Array.from({ length: 24 }, worker))
  t.strictSame(broken, [])
  t.ok(rows.every(version => version > 0))
  t.ok(apps[0]!.cache.stats().hits.l1 > 0 && apps[0]!.cache.stats().hits.l2 > 0, 'both tiers took part')
})

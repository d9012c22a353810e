import t from 'tap'
import { randomToken } from '@respite/redis'
import { seeded, startRedis } from '@respite/testing'
import { assemble } from './assemble.ts'

const server = await startRedis()
t.teardown(() => server.stop())

t.test('R15: with hooks, readers and mutations at random, no read that begins after a mutation answers what it has replaced', async t => {
  const chance = seeded(t)
  const where = { url: server.url, boot: 'wait', keyPrefix: randomToken() } as const
  const apps = [await assemble(where), await assemble(where)]
  for (const app of apps) {
    t.teardown(() => app.close())
    await app.ready()
  }
  const rows = Array.from({ length: 4 }, () => ({ committed: 0, writing: false }))
  const ticks = async (most: number) => { for (let i = chance.below(most); i > 0; i--) await new Promise(resolve => setImmediate(resolve)) }
  // Of each process: the version from which on its own mutations have promised its reads.
  const promised = apps.map(() => rows.map(() => 0))
  const counts = { reads: 0, mutations: 0, hooks: 0, failures: 0 }

  async function read (p: number, r: number): Promise<void> {
    const floor = promised[p]![r]!
    const value = await apps[p]!.cache.getOrSet(`row:${r}`, async () => {
      const version = rows[r]!.committed
      await ticks(5)
      return version
    }, { tags: [`table:${r}`] })
    counts.reads++
    if (value < floor) t.fail(`process ${p} read ${value} of row ${r} after ${floor}`)
  }

  async function mutate (p: number, r: number): Promise<void> {
    const row = rows[r]!
    if (row.writing) return // as a lock of the row would have it
    row.writing = true
    const what = [{ keys: [`row:${r}`] }, [`table:${r}`], { patterns: [`*:${r}`] }][chance.below(3)]!
    const fails = chance.below(5) === 0
    let version = 0
    const change = apps[p]!.invalidator.mutate(what, async () => {
      await ticks(10)
      if (chance.below(2) === 0 && ++counts.hooks > 0) await apps[p]!.cache.delete(`row:${r}`)
      await ticks(10)
      version = ++row.committed
      if (fails) throw new TypeError('lost after the commit')
    })
    await change.catch(() => { counts.failures++ })
    row.writing = false
    counts.mutations++
    promised[p]![r] = Math.max(promised[p]![r]!, version)
  }

  const actor = async (p: number) => {
    for (let i = 0; i < 400; i++) {
      const r = chance.below(rows.length)
      await (chance.below(5) === 0 ? mutate(p, r) : read(p, r))
      await ticks(3)
    }
  }
  await Promise.all([0, 0, 0, 1, 1, 1].map(actor))
  t.comment(JSON.stringify(counts))
  t.ok(counts.reads > 1_000 && counts.mutations > 50 && counts.hooks > 20 && counts.failures > 5)
})

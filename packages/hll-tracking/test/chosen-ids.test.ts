import t from 'tap'
import { murmurHash64A } from '../src/hyperloglog/murmur.ts'
import { standardError } from '../src/interval.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { assemble, fakeClock, storeParts } from './assemble.ts'
import { connected, redisOf, storesOver } from './linked.ts'

const { client } = await redisOf(t)
const app = await connected(t, { client })

const makers = { memory: (parts: ReturnType<typeof storeParts>) => new MemoryStore(parts), Redis: storesOver(app) }

// Each list is the same in every run: the ids are those of a counter, and the key of the tests is fixed.
for (const [what, ids] of [['suppress', crowded(3_000)], ['inflate', scattered(200_000)]] as const) {
  t.test(`C2 ids that are chosen by the public hash ${what} a PFADD, and count within three standard errors here`, async t => {
    for (let from = 0; from < ids.length; from += 500) await client.pfadd(what, ...ids.slice(from, from + 500))
    const misled = await client.pfcount(what)
    t.ok(what === 'suppress' ? misled < ids.length / 4 : misled > ids.length * 3, `PFADD: ${ids.length} count as ${misled}`)
    for (const [store, make] of Object.entries(makers)) {
      const parts = storeParts(fakeClock())
      const { tracking } = assemble(make(parts), parts)
      for (const id of ids) tracking.observe(what, id)
      const { value, exact } = await tracking.unique(what).count()
      t.notOk(exact)
      t.ok(Math.abs(value / ids.length - 1) < 3 * standardError(ids.length), `${store}: as ${value}`)
    }
  })
}

// Ids that all hit the same few registers.
function crowded (count: number): string[] {
  const ids: string[] = []
  for (let i = 0; ids.length < count; i++) if (hashOf(i).index < 128) ids.push(`visitor-${i}`)
  return ids
}

// Ids that each hit a register of their own, and hard.
function scattered (tries: number): string[] {
  const ids = new Map<number, string>()
  for (let i = 0; i < tries; i++) {
    const { index, zeros } = hashOf(i)
    if (zeros >= 3) ids.set(index, `visitor-${i}`)
  }
  return Array.from(ids.values())
}

function hashOf (i: number): { index: number, zeros: number } {
  const hash = { hi: 0, lo: 0 }
  murmurHash64A(Buffer.from(`visitor-${i}`), hash)
  const above = hash.lo >>> 14
  return { index: hash.lo & 16_383, zeros: above === 0 ? 18 : 31 - Math.clz32(above & -above) }
}

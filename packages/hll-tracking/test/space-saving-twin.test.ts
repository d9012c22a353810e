import { createKeyspace } from '@respite/redis'
import { type Seeded, seeded } from '@respite/testing'
import t from 'tap'
import { Identities } from '../src/identity.ts'
import { SpaceSaving } from '../src/space-saving.ts'
import { type BatchEntry, byCalls } from '../src/stores/store.ts'
import { RedisStore } from '../src/stores/redis.ts'
import { fakeClock, secret, start, storeParts } from './assemble.ts'
import { falseBounds } from './false-bounds.ts'
import { connected, redisOf } from './linked.ts'

const { client } = await redisOf(t)
const app = await connected(t, { client })

const operations = 100_000
const { keyId, scheme } = new Identities(secret, 'encrypted')
const batchesAPhase = 25

/** Ids of whom few come often; with each phase others. @param strangers - how many others come seldom */
function batchOf (random: Seeded, phase: number, strangers: number): BatchEntry[] {
  const calls = new Map<number, number>()
  const most = 1 + random.below(256)
  while (calls.size < most) {
    const id = Math.floor(3_000 ** (random.word() / 2 ** 32)) + phase * random.below(2) * 40 + random.below(strangers)
    calls.set(id, (calls.get(id) ?? 0) + (random.below(50) === 0 ? random.below(1_000_000) : 1 + random.below(3)))
  }
  return byCalls(Array.from(calls, ([id, calls]) => ({ keyed: Buffer.alloc(8), member: bytesOf(id), calls })))
}

// Bytes of all values, of which some are the beginning of others: ties are broken by them.
function bytesOf (id: number, length = id % 2 === 0 ? 4 : 8): Buffer {
  const bytes = Buffer.alloc(length)
  bytes.writeUInt32LE(Math.imul(id >>> 1, 0x9e3779b1) >>> 0)
  return bytes
}

const counters = (summary: Pick<SpaceSaving, 'entries'>) => Array.from(summary.entries(), ([member, { count, maxOver }]) => `${Buffer.from(member, 'latin1').toString('hex')} ${count} ${maxOver}`).sort()

t.test('the script and its twin agree counter by counter over 100,000 operations while the capacity changes, and every bound is true', async t => {
  const random = seeded(t)
  const parts = storeParts(fakeClock())
  const keyspace = createKeyspace('twin')
  const truth = new Map<string, number>()
  let twin = new SpaceSaving(16)
  let [sequence, done, largest] = [0, 0, 0]
  for (let phase = 0; done < operations; phase++) {
    // Now and then there is room for all, and then for few: more have to go than one flush takes away.
    const total = phase % 8 === 5 ? 6_000 : phase % 8 === 6 ? 16 : 16 + random.below(400)
    const store = new RedisStore(app.respite.link, { ...parts, keyspace, capacity: { total, bucket: 16 } })
    twin = new SpaceSaving(total, twin)
    for (let i = 0; i < batchesAPhase; i++) {
      const entries = batchOf(random, phase, total > 1_000 ? 50_000 : 200)
      await store.apply({ metric: 'ping', minuteMs: start - start % 60_000, origin: 'here', sequence: ++sequence, keyId, scheme, entries })
      twin.add(entries.map(({ member, calls }) => ({ member: member.toString('latin1'), calls })))
      for (const { member, calls } of entries) truth.set(member.toString('latin1'), (truth.get(member.toString('latin1')) ?? 0) + calls)
      done += entries.length
      if (total > 1_000 && i % 10 !== 0) continue
      const [summary] = await store.top('ping', 'all', { limit: 0, schemes: [scheme] })
      const [theirs, ours] = [counters({ entries: () => summary!.entries }), counters(twin)]
      if (summary!.floor !== twin.floor || theirs.join() !== ours.join()) {
        t.same(theirs, ours)
        t.fail(`they differ after ${done} operations, capacity ${total}, floors ${summary!.floor} and ${twin.floor}`)
        return
      }
    }
    const wrong = falseBounds(twin, truth)
    if (wrong.length > 0) t.same(wrong, [], `after ${done} operations`)
    largest = Math.max(largest, twin.size)
    t.ok(twin.size <= total, `${twin.size} of ${total} after ${done} operations`)
  }
  t.ok(twin.floor > 0, 'places were taken')
  t.ok(largest > 2_000, `${largest} were more than one flush takes away`)
})

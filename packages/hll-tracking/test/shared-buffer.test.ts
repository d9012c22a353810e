import { seeded } from '@respite/testing'
import t from 'tap'
import { faulty } from './faulty.ts'

// Seen: a metric that Redis did not take filled the buffer, and all the others were dropped.
for (const [what, observedBefore] of [['before it was taken', 1], ['after it was made into batches', 320]] as const) {
  t.test(`a metric that the store does not take keeps no other from its share of the buffer; what it gathered ${what} gives way`, async t => {
    const { server, tracking, seen, buffer } = faulty({ maxBuffered: 320 })
    server.away.add('broken')
    for (let i = 0; i < 400; i++) {
      tracking.observe('broken', `user:${i}`)
      if (i === observedBefore - 1) await tracking.flush()
    }
    t.equal(buffer.size, 320, 'alone it may have it all')
    t.equal(seen.drops.get('buffer full'), 80)
    for (const round of [1, 2]) {
      for (let i = 0; i < 160; i++) tracking.observe('ping', `user:${i}`)
      t.equal(buffer.size, 320)
      t.equal(await tracking.calls('ping'), round * 160)
    }
    t.equal(buffer.size, 160)
    server.away.clear()
    t.equal(await tracking.calls('broken'), 160)
    t.equal(seen.drops.get('buffer full'), 240)
    t.equal(seen.drops.size, 1)
  })
}

t.test('whatever the store takes and when, each event is counted once or dropped once, and the buffer keeps to its bound', async t => {
  const random = seeded(t)
  const { clock, server, tracking, seen, buffer } = faulty({ maxBuffered: 200 })
  const metrics = ['a', 'b', 'c', 'd']
  const flushes: Promise<void>[] = []
  let observed = 0
  for (let round = 0; round < 400; round++) {
    const metric = metrics[random.below(4)]!
    for (let i = random.below(60); i > 0; i--, observed++) tracking.observe(metric, `user:${random.below(100)}`)
    t.ok(buffer.size <= 200)
    if (random.below(3) === 0) flushes.push(tracking.flush())
    if (random.below(4) === 0) await flushes.at(-1)
    if (random.below(5) === 0) server.fault = (['none', 'none', 'answer lost', 'full'] as const)[random.below(4)]!
    if (random.below(5) === 0) server.away.add(metric)
    if (random.below(5) === 0) server.away.delete(metrics[random.below(4)]!)
    if (random.below(20) === 0) clock.nowMs += 60_000
  }
  server.fault = 'none'
  server.away.clear()
  await Promise.all(flushes)
  let counted = 0
  for (const metric of metrics) counted += await tracking.calls(metric)
  t.equal(buffer.size, 0)
  t.equal(counted + (seen.drops.get('buffer full') ?? 0), observed)
  t.ok(seen.drops.get('buffer full')! > 0)
})

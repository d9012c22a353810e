import { gate, until } from '@respite/testing'
import t from 'tap'
import { maxBatchAgeMs, rememberedMs } from '../src/stores/store.ts'
import { faulty } from './faulty.ts'

t.test('C4: a flush whose answer was lost is sent again as it was, and counts once', async t => {
  const { server, sent, tracking, buffer } = faulty()
  server.fault = 'answer lost'
  tracking.observe('ping', 'alice')
  await tracking.flush()
  tracking.observe('ping', 'alice')
  await tracking.flush()
  server.fault = 'none'
  t.equal(await tracking.calls('ping'), 2)
  t.equal(sent.length, 4)
  t.ok(sent.slice(0, 3).every(batch => batch === sent[0]), 'the same batch, three times')
  t.equal(sent[3]!.sequence, 2)
  t.equal(buffer.size, 0)
})

t.test('while the store is away the buffer is bounded and drops are counted; then it takes what was kept', async t => {
  const { server, tracking, seen, buffer } = faulty({ maxBuffered: 100 })
  server.fault = 'not sent'
  for (let i = 0; i < 60; i++) tracking.observe('ping', `a${i}`)
  await tracking.flush()
  for (let i = 0; i < 60; i++) tracking.observe('ping', `b${i}`)
  await tracking.flush()
  t.equal(buffer.size, 100)
  t.equal(seen.drops.get('buffer full'), 20)
  t.equal(seen.events, 100)
  server.fault = 'none'
  t.equal(await tracking.calls('ping'), 100)
  t.equal((await tracking.unique('ping').count()).value, 100)
  t.equal(buffer.size, 0)
})

t.test('it flushes by itself, tries again by itself, and at once when the store is back', async t => {
  const { server, sent, tracking, flusher, memory } = faulty({ flushEveryMs: 2 })
  tracking.observe('ping', 'alice')
  await until('the timer to flush', async () => await memory.calls('ping', 'all') === 1)
  server.fault = 'not sent'
  tracking.observe('ping', 'bob')
  await until('three attempts', () => sent.length >= 4)
  server.fault = 'none'
  flusher.retry()
  await until('the retry', async () => await memory.calls('ping', 'all') === 2)
  flusher.retry()
  await tracking.close()
  t.equal(await memory.calls('ping', 'all'), 2)
})

t.test('it flushes by size before its time', async t => {
  const { tracking, memory, buffer } = faulty({ flushEveryMs: 60_000 })
  for (let i = 0; i < 500; i++) tracking.observe('ping', `user:${i}`)
  await until('500 entries to be flushed', () => buffer.size === 0)
  t.equal(await memory.calls('ping', 'all'), 500)
  await tracking.close()
})

t.test('a batch that the store will never take is dropped, and does not hold up the next', async t => {
  const { server, tracking, seen, buffer } = faulty()
  server.fault = 'refused'
  tracking.observe('ping', 'alice')
  tracking.observe('ping', 'alice')
  await tracking.flush()
  t.equal(seen.drops.get('refused by the store'), 2)
  t.equal(buffer.size, 0)
  server.fault = 'full'
  tracking.observe('ping', 'bob')
  await tracking.flush()
  t.equal(buffer.size, 1, 'a server that is full may have room again')
  server.fault = 'none'
  t.equal(await tracking.calls('ping'), 1)
})

t.test('what is older than a repetition would be known is dropped', async t => {
  const { clock, server, tracking, seen } = faulty()
  server.fault = 'not sent'
  tracking.observe('ping', 'alice')
  await tracking.flush()
  clock.nowMs += maxBatchAgeMs + 1
  server.fault = 'none'
  t.equal(await tracking.calls('ping'), 0)
  t.equal(seen.drops.get('too old'), 1)
})

// Seen: what had gathered for a day behind a batch that failed was listed again, for the erasure of its caller was forgotten by then.
t.test('what waited in the buffer for longer than an erasure is remembered is dropped as well', async t => {
  const { clock, server, tracking, seen, buffer } = faulty()
  tracking.observe('ping', 'carol')
  await tracking.flush()
  server.fault = 'not sent'
  for (const who of ['alice', 'bob']) {
    tracking.observe('ping', who)
    await tracking.flush()
  }
  await tracking.erase('bob')
  clock.nowMs += rememberedMs + 1
  await tracking.erase('dave')
  server.fault = 'none'
  t.same((await tracking.top('ping')).map(({ id }) => id), ['carol'])
  t.equal(seen.drops.get('too old'), 2)
  t.equal(buffer.size, 0)
})

t.test('close flushes; what the store does not take then is dropped and counted, and so is what comes later', async t => {
  const up = faulty()
  up.tracking.observe('ping', 'alice')
  await up.tracking.close()
  t.equal(await up.memory.calls('ping', 'all'), 1)
  up.tracking.observe('ping', 'bob')
  t.equal(up.seen.drops.get('closed'), 1)

  const down = faulty()
  down.server.fault = 'not sent'
  for (const who of ['a', 'a', 'b']) down.tracking.observe('ping', who)
  await down.tracking.close()
  t.equal(down.seen.drops.get('closed'), 3)
  t.equal(down.buffer.size, 0)
})

t.test('a store that answers slowly holds closing up for some seconds, and not for a deadline a batch', async t => {
  const { clock, sent, store, tracking, seen, buffer } = faulty({ flushEveryMs: 3_600_000, maxBuffered: 1_000 })
  const apply = store.apply.bind(store)
  store.apply = async batch => {
    clock.nowMs += 900
    return apply(batch)
  }
  // In batches of a sixteenth of the buffer.
  for (let i = 0; i < 1_000; i++) tracking.observe('ping', `user:${i}`)
  await tracking.close()
  t.ok(sent.length <= 6, `${sent.length} batches`)
  t.equal(sent.reduce((sum, { entries }) => sum + entries.length, 0) + seen.drops.get('closed')!, 1_000)
  t.equal(buffer.size, 0)
})

t.test('events observed during a flush are in the next one, for which its caller waits', async t => {
  const { tracking } = faulty()
  tracking.observe('ping', 'alice')
  const first = tracking.flush()
  tracking.observe('ping', 'bob')
  t.equal(await tracking.calls('ping'), 2)
  await first
})

t.test('nobody, bad names and too many metrics', async t => {
  const { tracking, seen } = faulty()
  for (const who of [undefined, null, '', Number.NaN, {}, []]) tracking.observe('ping', who as string)
  t.equal(seen.drops.get('nobody'), 6)
  tracking.observe('ping', 'x'.repeat(10_000))
  t.match((await tracking.top('ping'))[0]!.id, /^#[\w-]{22}$/, 'a very long id is counted under a hash of it')
  for (const name of ['', 'x'.repeat(1_024), 'ü'.repeat(65), '\uD800', 7, undefined]) {
    t.throws(() => tracking.observe(name as string, 'alice'), { code: 'FST_RSP_TRACKING_METRIC_INVALID' })
    t.throws(() => tracking.unique(name as string), { code: 'FST_RSP_TRACKING_METRIC_INVALID' })
  }
  for (const k of [0, 1.5, -1, 10_001, '3']) await t.rejects(tracking.top('ping', { k: k as number }), { code: 'FST_RSP_TRACKING_K_INVALID' })
  for (let i = 0; i < 105; i++) tracking.observe(`metric ${i}`, 'alice')
  t.equal(seen.drops.get('too many metrics'), 6)
})

t.test('a metric is noted before it is first counted, and again each minute', async t => {
  const { clock, server, registered, tracking, memory } = faulty()
  server.fault = 'not sent'
  tracking.observe('ping', 'alice')
  await tracking.flush()
  server.fault = 'none'
  tracking.observe('pong', 'alice')
  await tracking.flush()
  t.same(registered, ['ping', 'pong'])
  for (const afterMs of [59_999, 1]) {
    clock.nowMs += afterMs
    tracking.observe('ping', 'alice')
    await tracking.flush()
  }
  t.same(registered, ['ping', 'pong', 'ping'])
  t.equal(await memory.calls('ping', 'all'), 3)
})

t.test('close during a flush waits for it, and flushes what came meanwhile', async t => {
  const { server, tracking, seen, buffer, memory } = faulty()
  const step = gate()
  server.step = step
  tracking.observe('ping', 'alice')
  const flushed = tracking.flush()
  await step.reached
  tracking.observe('ping', 'bob')
  const closed = Promise.all([tracking.close(), tracking.close()])
  tracking.observe('ping', 'late')
  step.open()
  await Promise.all([flushed, closed])
  t.equal(await memory.calls('ping', 'all'), 2)
  t.same([...seen.drops], [['closed', 1]])
  t.equal(buffer.size, 0)
})

// Seen: with one node of a Cluster down, or one metric that the user may not write, no metric was counted any more.
t.test('a metric that the store does not take holds up no other: reads see what was observed before them', async t => {
  const { server, tracking, seen, buffer } = faulty({ maxBuffered: 10 })
  server.away.add('broken')
  tracking.observe('broken', 'alice')
  await tracking.flush()
  for (let i = 0; i < 50; i++) {
    tracking.observe('ping', `user:${i}`)
    tracking.observe('broken', `user:${i % 3}`)
    t.equal(await tracking.calls('ping'), i + 1)
  }
  t.equal(buffer.size, 4, 'its own callers gather, each once')
  server.away.clear()
  t.equal(await tracking.calls('broken'), 51)
  t.equal((await tracking.unique('broken').count()).value, 4)
  t.equal(seen.drops.size, 0)
  t.equal(buffer.size, 0)
})

t.test('where the names cannot be reached, metrics that are noted count on; those that are new wait, and are not lost', async t => {
  const { clock, server, registered, tracking, memory } = faulty()
  tracking.observe('ping', 'alice')
  await tracking.flush()
  server.away.add('names')
  clock.nowMs += 60_000
  tracking.observe('ping', 'bob')
  tracking.observe('new', 'alice')
  await tracking.flush()
  t.same([await memory.calls('ping', 'all'), await memory.calls('new', 'all')], [2, 0])
  server.away.clear()
  clock.nowMs += 10_000
  t.equal(await tracking.calls('new'), 1)
  tracking.observe('ping', 'bob')
  await tracking.flush()
  t.same(registered, ['ping', 'new', 'ping'])
})

// Seen: an erasure by another process did not look through a metric whose first events were still in a buffer.
t.test('a metric is noted when it is declared, all of a moment in one go; where that fails, again', async t => {
  const { server, registered, tracking } = faulty()
  for (const metric of ['ping', 'pong']) tracking.declare(metric)
  t.same(registered, [])
  await until('both to be noted', () => registered.length > 0)
  t.same(registered, ['ping', 'pong'])
  server.away.add('names')
  tracking.observe('new', 'alice')
  await tracking.flush()
  server.away.clear()
  await until('the new one to be noted', () => registered.includes('new'))
  t.same(registered, ['ping', 'pong', 'new'])
  await tracking.close()
})

// Seen: what was observed during an attempt that failed had the next one begin as if nothing had failed.
t.test('while the store fails, what is observed does not hasten the next attempt', async t => {
  const { server, sent, tracking } = faulty({ flushEveryMs: 1 })
  const timers: number[] = []
  const { setTimeout: real } = globalThis
  t.teardown(() => { globalThis.setTimeout = real })
  globalThis.setTimeout = ((work: () => void, ms: number) => {
    timers.push(ms)
    return real(work, 60_000)
  }) as typeof setTimeout
  tracking.declare('ping')
  await tracking.flush()
  server.fault = 'not sent'
  for (let attempt = 1; attempt <= 6; attempt++) {
    tracking.observe('ping', `user:${attempt}`)
    const flushed = tracking.flush()
    tracking.observe('ping', 'amid')
    await flushed
    tracking.observe('ping', 'after')
  }
  t.equal(sent.length, 6)
  t.same(timers, [1, 2, 4, 8, 16, 32, 64], 'the first, and one after each attempt')
  await tracking.close()
})

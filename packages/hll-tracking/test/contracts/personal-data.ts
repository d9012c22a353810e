import { seeded } from '@respite/testing'
import type { Test } from 'tap'
import { bucketAt, sizeMs } from '../../src/buckets.ts'
import { Identities } from '../../src/identity.ts'
import { assemble, fakeClock, keep, secret, start, storeParts } from '../assemble.ts'
import type { MakeStore } from './store.ts'

const earlier = 'the secret that was used before'

/** What can be told of one caller, and what is left when he is erased. */
export function personalDataContract (t: Test, make: MakeStore): void {
  const fresh = (nowMs = start, capacity?: { total: number, bucket: number }, zones?: string[]) => {
    const clock = fakeClock(nowMs)
    const parts = storeParts(clock, capacity, zones)
    const store = make(parts)
    const process = (origin: string, identities = new Identities(secret, 'encrypted')) => assemble(store, parts, { origin, identities })
    return { clock, store, process, ...process('here') }
  }

  t.test('the export of a caller has his entries by metric, of all processes', async t => {
    const { clock, process, tracking } = fresh(start, undefined, ['UTC', 'Asia/Kathmandu'])
    const other = process('there').tracking
    clock.nowMs = start - 30 * sizeMs.day
    for (const who of ['alice', 'alice', 'bob']) other.observe('orders', who)
    await other.flush()
    clock.nowMs = start
    tracking.observe('ping', 'alice')
    tracking.observe('silent', 'bob')
    t.same(await tracking.export('alice'), [
      {
        metric: 'orders',
        total: { count: 2, maxOver: 0 },
        buckets: [
          { by: 'day', tz: 'UTC', start: '2026-04-10', count: 2, maxOver: 0 },
          { by: 'day', tz: 'Asia/Kathmandu', start: '2026-04-10', count: 2, maxOver: 0 }
        ]
      },
      {
        metric: 'ping',
        total: { count: 1, maxOver: 0 },
        buckets: [
          { by: 'minute', tz: 'UTC', start: '2026-05-10T12:34:00.000Z', count: 1, maxOver: 0 },
          { by: 'hour', tz: 'UTC', start: '2026-05-10T12:00:00.000Z', count: 1, maxOver: 0 },
          { by: 'day', tz: 'UTC', start: '2026-05-10', count: 1, maxOver: 0 },
          { by: 'day', tz: 'Asia/Kathmandu', start: '2026-05-10', count: 1, maxOver: 0 }
        ]
      }
    ])
    t.same(await tracking.export('nobody'), [])
  })

  t.test('an erased caller is in no list of any metric or process; numbers of calls stay, and the others as they were', async t => {
    const { process, tracking } = fresh()
    const other = process('there').tracking
    for (const who of ['alice', 'bob', 'alice', 7]) tracking.observe('ping', who)
    for (const who of ['alice', 'carol']) other.observe('orders', who)
    await other.flush()
    const { metrics, entries } = await tracking.erase('alice')
    t.equal(metrics, 2)
    t.equal(entries, 2 * (1 + 3 + 3), 'of each the total, three lists and three sketches')
    t.same(await tracking.export('alice'), [])
    for (const options of [{}, { since: '1h' as const }]) {
      t.same((await tracking.top('ping', options)).map(({ id, count }) => [id, count]).sort(), [['7', 1], ['bob', 1]])
      t.same(await other.top('orders', options), [{ id: 'carol', count: 1, maxOver: 0 }])
    }
    t.equal(await tracking.calls('ping'), 4)
    t.match(await tracking.unique('ping').count(), { value: 2, exact: true })
    t.same(await tracking.erase('alice'), { metrics: 2, entries: 0 }, 'again, there is nothing')
    t.equal((await tracking.erase(7)).entries, 7)
    t.equal((await tracking.erase('bob')).entries, 7)
    t.match(await tracking.unique('ping').count(), { value: 0, exact: true }, 'the last one leaves nothing')
  })

  t.test('what another process has not flushed yet is left out when it comes; from the next minute on he counts anew', async t => {
    const { clock, process, tracking } = fresh(Date.now())
    const other = process('there').tracking
    tracking.observe('ping', 'bob')
    for (const who of ['alice', 'alice', 'carol']) other.observe('ping', who)
    clock.nowMs -= sizeMs.hour
    other.observe('ping', 'alice')
    clock.nowMs += sizeMs.hour
    await tracking.erase('alice')
    await other.flush()
    const ids = async () => (await tracking.top('ping')).map(({ id, count }) => `${id} ${count}`).sort()
    t.same(await ids(), ['bob 1', 'carol 1'])
    t.same(await tracking.export('alice'), [])
    t.equal(await tracking.calls('ping'), 5)
    t.equal((await tracking.unique('ping').count()).value, 2)
    other.observe('ping', 'alice')
    await other.flush()
    t.equal(await tracking.calls('ping'), 6, 'a batch of nobody but him counts its calls')
    t.same(await ids(), ['bob 1', 'carol 1'])
    clock.nowMs += 2 * sizeMs.minute
    other.observe('ping', 'alice')
    await other.flush()
    t.same(await ids(), ['alice 1', 'bob 1', 'carol 1'])
  })

  // Seen: in memory, the erasure passed over a metric of which nothing had been counted yet.
  t.test('what is the first of a metric is left out as well when its caller was erased before it came', async t => {
    const { clock, process, tracking } = fresh(Date.now())
    const other = process('there').tracking
    other.observe('ping', 'alice')
    tracking.declare('ping')
    t.same(await tracking.erase('alice'), { metrics: 1, entries: 0 })
    clock.nowMs += 2 * sizeMs.minute
    other.observe('ping', 'bob')
    await other.flush()
    t.same((await tracking.top('ping')).map(({ id }) => id), ['bob'])
  })

  t.test('in full lists no count falls under the truth when somebody is erased, and the floor keeps to its bound', async t => {
    const random = seeded(t)
    const { clock, tracking } = fresh(Date.now(), { total: 32, bucket: 16 })
    const truth = new Map<string, number>()
    let calls = 0
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 50; i++) {
        const id = `user:${Math.floor(Math.exp(random.word() / 2 ** 32 * Math.log(150)))}`
        tracking.observe('ping', id)
        truth.set(id, (truth.get(id) ?? 0) + 1)
        calls++
      }
      await tracking.flush()
      if (round % 4 !== 3) continue
      const listed = await tracking.top('ping', { k: 32 })
      const gone = listed[random.below(listed.length)]!.id
      await tracking.erase(gone)
      truth.delete(gone)
      clock.nowMs += 2 * sizeMs.minute
      for (const [options, capacity] of [[{}, 32], [{ since: new Date(clock.nowMs - clock.nowMs % sizeMs.day) }, 16]] as const) {
        const callers = await tracking.top('ping', { k: 32, ...options })
        const wrong = callers.filter(({ id, count, maxOver }) => {
          const truly = truth.get(id) ?? 0
          return count < truly || count - maxOver > truly || (capacity === 32 && maxOver > calls / capacity)
        })
        // Over midnight the window has another truth.
        if (capacity === 32 || clock.nowMs % sizeMs.day > 3 * sizeMs.hour) t.same(wrong, [], `round ${round}, without ${gone}`)
        t.notOk(callers.some(({ id }) => id === gone))
      }
    }
    t.equal(await tracking.calls('ping'), calls)
  })

  t.test('an id cannot be taken out of many; the counts stay, and no list has it', async t => {
    const { tracking } = fresh()
    for (let i = 0; i < 400; i++) tracking.observe('ping', `user:${i}`)
    for (let i = 0; i < 5; i++) tracking.observe('ping', 'user:7')
    const before = await tracking.unique('ping').count()
    t.equal((await tracking.erase('user:7')).entries, 1 + 3, 'of the total and of three lists')
    t.same(await tracking.unique('ping').count(), before)
    for (let i = 0; i < 20; i++) tracking.observe('ping', `late:${i}`)
    t.ok((await tracking.unique('ping').count()).value >= before.value, 'and they go on')
  })

  t.test('an id that others only seem to have, by the end of one and the beginning of the next, takes nobody out', async t => {
    const { store, identities } = fresh()
    const { keyId, scheme } = identities
    const entries = ['AAAAAAAB', 'BAAAAAAA'].map(id => ({ keyed: Buffer.from(id), member: Buffer.from(`p${id}`), calls: 1 }))
    const bucket = bucketAt('day', start, keep)
    await store.apply({ metric: 'ping', minuteMs: start - start % sizeMs.minute, origin: 'here', sequence: 1, keyId, scheme, entries })
    const erase = (id: string) => store.erase('ping', [bucket], { members: [Buffer.from(`p${id}`)], keyed: [{ keyId, id: Buffer.from(id) }] })
    t.equal(await erase('AAAAAABB'), 0)
    t.same(await store.count('ping', [bucket], keyId), { value: 2, exact: true })
    t.equal(await erase('BAAAAAAA'), 3, 'of the total, of the list and of the few')
    t.same(await store.count('ping', [bucket], keyId), { value: 1, exact: true })
    t.equal(await erase('AAAAAAAB'), 3)
    t.same(await store.count('ping', [bucket], keyId), { value: 0, exact: true })
  })

  t.test('what was made under the key before, or in the other form, is found and erased too; so is an id of any length', async t => {
    const { process } = fresh()
    const long = 'x'.repeat(5_000)
    for (const [origin, identities] of [['old', new Identities(earlier, 'encrypted')], ['plain', new Identities(secret, 'plain')]] as const) {
      const { tracking } = process(origin, identities)
      tracking.observe('ping', 'alice')
      tracking.observe('ping', long)
      await tracking.flush()
    }
    const { tracking } = process('new', new Identities(secret, 'encrypted', [earlier]))
    tracking.observe('ping', 'alice')
    t.match(await tracking.export('alice'), [{ metric: 'ping', total: { count: 3, maxOver: 0 } }])
    await tracking.erase('alice')
    await tracking.erase(long)
    t.same(await tracking.export('alice'), [])
    t.same(await tracking.top('ping'), [])
    t.match(await tracking.unique('ping').count(), { value: 0, exact: true })
  })
}

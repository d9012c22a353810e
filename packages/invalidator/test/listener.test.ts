import t from 'tap'
import type { DropTargets, Invalidation } from '@respite/redis'
import { Entities } from '../src/entities.ts'
import { Listener } from '../src/listener.ts'

function listening () {
  const counts = { message: 0, malformed: 0, gap: 0 }
  const logged: { since: number }[] = []
  const dropped: DropTargets[] = []
  const time = { nowMs: 0 }
  const entities = new Entities()
  const cache: Invalidation = {
    drop: async what => { dropped.push(what); return { dropped: 0, queued: 0, settled: Promise.resolve() } },
    fill: async () => undefined,
    forgetLocal: () => { dropped.push({ keys: ['all local'] }) },
    check: ({ tags = [] }) => { if (tags.includes('')) throw new RangeError('a tag is empty') }
  }
  const listener = new Listener({
    invalidation: () => cache,
    entities,
    topic: 'invalidate',
    clock: { wallMs: () => 0, monotonicMs: () => time.nowMs },
    log: { warn: (about: { since: number }) => { logged.push(about) } } as never,
    count: event => ({ inc: () => { counts[event]++ } }) as never
  })
  return { listener, entities, counts, logged, dropped, time }
}

t.test('malformed messages are counted each, and logged once a minute with their number and without their content', async t => {
  const { listener, counts, logged, dropped, time } = listening()
  for (let i = 0; i < 1_000; i++) await listener.heard('a secret')
  t.strictSame([counts.malformed, logged.length, logged[0]?.since], [1_000, 1, 1])
  time.nowMs = 59_999
  await listener.heard(null)
  t.equal(logged.length, 1)
  time.nowMs = 60_000
  await listener.heard(null)
  t.strictSame([counts.malformed, logged.length, logged[1]?.since], [1_002, 2, 1_001])
  t.notMatch(JSON.stringify(logged), /secret/)
  t.strictSame(dropped, [])
})

t.test('a state from a stranger is dropped by the definition here; one it cannot take is malformed', async t => {
  const { listener, entities, counts, dropped } = listening()
  entities.define('user', { keys: (u: { id: number, org: { id: number } }) => [`user:${u.id}`, `org:${u.org.id}`] } as never)
  entities.define('weather', { strategy: 'ttl' })
  await listener.heard({ entity: 'user', states: [{ id: 7, org: { id: 1 } }] })
  await listener.heard({ entity: 'unknown', states: [{ id: 9 }] })
  await listener.heard({ entity: 'weather', states: [{ id: 1 }] })
  t.strictSame(dropped, [{ keys: ['user:7', 'org:1'], patterns: [], tags: [] }, { keys: ['unknown:9'], patterns: ['unknown:list:*'], tags: [] }])
  t.strictSame([counts.message, counts.malformed], [3, 0])
  for (const states of [[{ id: 7 }], [null], [7], [{ id: {}, org: null }]]) await listener.heard({ entity: 'user', states })
  await listener.heard({ entity: 'unknown', states: [{}] })
  t.strictSame([counts.message, counts.malformed, dropped.length], [3, 5, 2])
})

t.test('what the cache can never drop is malformed', async t => {
  const { listener, counts, dropped } = listening()
  await listener.heard({ keys: ['k'], tags: [''] })
  t.strictSame([counts.malformed, dropped.length], [1, 0])
})

t.test('a gap ends the local copies', async t => {
  const { listener, counts, dropped } = listening()
  listener.missed()
  t.strictSame([counts.gap, dropped], [1, [{ keys: ['all local'] }]])
})

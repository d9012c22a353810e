import t from 'tap'
import { seeded } from '@respite/testing'
import { Announcer } from '../src/announcer.ts'
import { type ChangeMessage, changeOf, halves, inParts, most } from '../src/change-message.ts'

t.test('a change is read, what is empty may be left out; anything else is no change', async t => {
  t.strictSame(changeOf({ keys: ['k'] }), { keys: ['k'], patterns: [], tags: [] })
  t.strictSame(changeOf({ entity: 'user', tags: ['t'], more: 1 }), { keys: [], patterns: [], tags: ['t'] })
  t.strictSame(changeOf({}), { keys: [], patterns: [], tags: [] })
  t.strictSame(changeOf({ entity: 'user', states: [{ id: 7 }] }), { entity: 'user', states: [{ id: 7 }] })
  const long = (length: number) => Array.from({ length }, () => 'x')
  for (const other of [
    undefined, null, 7, 'k', [], ['k'], { keys: 'k' }, { keys: [7] }, { keys: null }, { tags: { 0: 't' } }, { entity: 7, keys: ['k'] }, { states: [{}] }, { entity: 'user', states: {} },
    { keys: long(most.keys + 1) }, { patterns: long(most.patterns + 1) }, { tags: long(most.tags + 1) }, { entity: 'user', states: long(most.states + 1) }
  ]) t.equal(changeOf(other), undefined, JSON.stringify(other)?.slice(0, 50))
})

t.test('random JSON is a change or none, and never throws', async t => {
  const chance = seeded(t)
  const names = ['entity', 'states', 'keys', 'patterns', 'tags', '__proto__', 'length']
  const value = (depth: number): unknown => {
    switch (chance.below(depth > 3 ? 4 : 6)) {
      case 0: return null
      case 1: return chance.below(100)
      case 2: return 'x'.repeat(chance.below(4))
      case 3: return chance.below(2) === 0
      case 4: return Array.from({ length: chance.below(4) }, () => value(depth + 1))
      default: return JSON.parse(`{${Array.from({ length: chance.below(4) }, () => `"${names[chance.below(names.length)]}":${JSON.stringify(value(depth + 1))}`).join()}}`)
    }
  }
  for (let i = 0; i < 20_000; i++) {
    const change = changeOf(value(0))
    if (change === undefined || 'entity' in change) continue
    if (![...change.keys, ...change.patterns, ...change.tags].every(text => typeof text === 'string')) t.fail('no text')
  }
})

t.test('what is too large for one message becomes several that together say the same', async t => {
  const chance = seeded(t)
  const texts = (name: string, length: number) => Array.from({ length }, (_, i) => `${name}${i}`)
  for (let round = 0; round < 10; round++) {
    const message = { entity: 'user', keys: texts('k', chance.below(30_000)), patterns: texts('p', chance.below(300)), tags: texts('t', chance.below(30_000)) }
    const parts = inParts(message)
    for (const part of parts) if (changeOf(JSON.parse(JSON.stringify(part))) === undefined) t.fail('a part that nobody reads')
    for (const list of ['keys', 'patterns', 'tags'] as const) t.equal(parts.flatMap(part => part[list] ?? []).join(), message[list].join())
    t.ok(parts.every(part => part.entity === 'user'))
  }
  t.strictSame(halves({ tags: ['one'] }), [])
  t.strictSame(halves({ patterns: ['p'], tags: ['t'] }), [{ keys: [], patterns: ['p'], tags: [] }, { keys: [], patterns: [], tags: ['t'] }])
})

t.test('a message the bus finds too large is told in halves; what Redis does not take, or no message holds, is not told, and nothing is thrown', async t => {
  const sent: ChangeMessage[] = []
  const said: string[] = []
  const redis = { failure: undefined as Error | undefined }
  const announcer = new Announcer({
    topic: 'invalidate',
    log: { debug: () => { said.push('debug') }, error: () => { said.push('error') } } as never,
    bus: {
      publish: async (_, value) => {
        if (redis.failure !== undefined) throw redis.failure
        if (JSON.stringify(value).length > 200) throw Object.assign(new TypeError('too large'), { code: 'FST_RSP_BUS_TOO_LARGE' })
        sent.push(value as ChangeMessage)
      }
    }
  })
  const keys = Array.from({ length: 100 }, (_, i) => `key number ${i}`)
  t.equal(await announcer.tell({ keys }), true)
  t.ok(sent.length > 10)
  t.strictSame(sent.flatMap(message => message.keys).sort(), [...keys].sort())
  t.equal(await announcer.tell({ keys: ['x'.repeat(1_000)] }), false)
  t.strictSame(said, ['error'])
  redis.failure = Object.assign(new TypeError('down'), { outcome: 'not-sent' })
  t.equal(await announcer.tell({ keys: ['k'] }), false)
  t.strictSame(said, ['error', 'debug'])
})

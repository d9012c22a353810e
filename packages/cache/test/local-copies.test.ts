import t from 'tap'
import { answerOf } from '../src/answer.ts'
import { LocalCopies } from '../src/local-copies.ts'
import { parsePattern } from '../src/pattern.ts'

function setUp ({ maxItems = 100, maxBytes = 100_000, maxAgeMs = 60_000 } = {}) {
  const clock = { now: 1_000, wallMs: () => 0, monotonicMs: () => clock.now }
  const word = { armed: true }
  const evicted: string[] = []
  const local = new LocalCopies(word as never, clock, { maxItems, maxBytes, maxAgeMs, onEvict: () => { evicted.push('one') } })
  const keep = (key: string, { bytes = 10, leftMs = 10_000, tags = new Map<string, string>(), askedAt = clock.now } = {}) =>
    local.keep(key, { answer: answerOf({ codec: 'json', content: '1' }, false), tags, bytes, id: '', costMs: 0, bornAt: askedAt, askedAt, leftMs })
  return { clock, word, local, keep, evicted }
}

t.test('a copy ends with the entry, counted from when it was asked for, or at its greatest age', async t => {
  const { clock, local, keep } = setUp({ maxAgeMs: 5_000 })
  keep('short', { leftMs: 100 })
  keep('long', { leftMs: 1e12 })
  keep('slow', { leftMs: 100, askedAt: clock.now - 90 })
  clock.now += 10
  t.ok(local.find('short'))
  t.notOk(local.find('slow'))
  clock.now += 90
  t.notOk(local.find('short'))
  clock.now += 4_899
  t.ok(local.find('long'))
  clock.now += 1
  t.notOk(local.find('long'))
  t.equal(local.size, 0)
})

t.test('no copy is used while the word of the server is missing', async t => {
  const { word, local, keep } = setUp()
  keep('k')
  word.armed = false
  t.notOk(local.find('k'))
  word.armed = true
  t.ok(local.find('k'))
})

t.test('a copy with tags is used only while each has the nonce it carries', async t => {
  const { local, keep } = setUp()
  keep('k', { tags: new Map([['a', '1'], ['b', '2']]) })
  t.notOk(local.find('k'), 'nothing is known of its tags')
  local.keepTag('a', '1')
  local.keepTag('b', '2')
  t.ok(local.find('k'))
  local.deleteTag('b')
  t.notOk(local.find('k'))
  local.keepTag('b', '3')
  t.notOk(local.find('k'))
})

t.test('bounded by number and by bytes, the longest unused going first', async t => {
  const few = setUp({ maxItems: 2 })
  few.keep('a')
  few.keep('b')
  few.local.find('a')
  few.keep('c')
  t.strictSame(['a', 'b', 'c'].map(key => few.local.find(key) !== undefined), [true, false, true])
  t.equal(few.evicted.length, 1)
  const small = setUp({ maxBytes: 1_000 })
  for (const key of ['a', 'b', 'c']) small.keep(key, { bytes: 200 })
  t.ok(small.local.bytes <= 1_000)
  t.strictSame(['a', 'b', 'c'].map(key => small.local.find(key) !== undefined), [false, true, true])
  small.keep('huge', { bytes: 5_000 })
  t.notOk(small.local.find('huge'))
})

t.test('copies go by key, by pattern and all at once', async t => {
  const { local, keep } = setUp()
  for (const key of ['u:1', 'u:2', 'v:1']) keep(key)
  local.delete('u:1')
  t.notOk(local.find('u:1'))
  local.deleteMatching(parsePattern('u:*'))
  t.notOk(local.find('u:2'))
  t.ok(local.find('v:1'))
  local.clear()
  t.notOk(local.find('v:1'))
})

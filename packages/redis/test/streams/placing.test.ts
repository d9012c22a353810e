import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { Adapter } from '../../src/clients/adapter.ts'
import { createKeyspace } from '../../src/keyspace.ts'
import { failureOf, timedOut } from '../../src/link/failures.ts'
import type { Link } from '../../src/link/link.ts'
import { createMetrics } from '../../src/metrics/registry.ts'
import { RedisStreams } from '../../src/streams/redis-streams.ts'

/** Durable topics over a link that answers as it is told. */
function streamsOver (t: Test, run: () => Promise<unknown>) {
  const adapter = { on: () => () => {}, nodeOf: () => undefined, cluster: false } as unknown as Adapter
  const link = { state: 'up', on: () => () => {}, eraOf: () => undefined, run } as unknown as Link
  const streams = new RedisStreams({ origin: 'a', adapter, link, keyspace: createKeyspace('respite'), metrics: createMetrics(), log: { error: () => {} } as never, closeWithinMs: 0 })
  t.teardown(() => streams.close())
  return streams
}

const settled = () => new Promise(resolve => setImmediate(resolve))
const late = timedOut('bus.stream-position', 10)

// Seen: each failure had a timer, and each timer asked for all: 3, 9, 27 … every half second.
t.test('where listeners begin is asked once a round for each, however often there was no answer', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let asked = 0
  const streams = streamsOver(t, async () => {
    asked++
    throw late
  })
  for (const topic of ['a', 'b', 'c']) await streams.subscribe(topic, () => {}, {})
  const rounds: number[] = []
  for (let round = 0; round < 4; round++) {
    asked = 0
    mock.timers.tick(500)
    await settled()
    rounds.push(asked)
  }
  t.same(rounds, [3, 3, 3, 3])
})

t.test('where a listener begins is not asked again while an answer is awaited, nor once it has left', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const asked: ((error: Error) => void)[] = []
  const streams = streamsOver(t, () => new Promise((_resolve, reject) => { asked.push(reject) }))
  const [one, two] = [streams.subscribe('one', () => {}, {}), streams.subscribe('two', () => {}, {})]
  asked[0]!(late)
  const stop = await one
  mock.timers.tick(500)
  t.equal(asked.length, 3)
  asked[1]!(late)
  await two
  mock.timers.tick(500)
  t.equal(asked.length, 4, 'the second alone')
  stop()
  asked[2]!(late)
  asked[3]!(late)
  await settled()
  mock.timers.tick(500)
  t.equal(asked.length, 5, 'the second alone')
})

// Redis 6.2 puts its own words before what a command in a script was answered.
for (const message of [
  'WRONGTYPE Operation against a key holding the wrong kind of value',
  'ERR Error running script (call to f_8a2ab2): @user_script:4: WRONGTYPE Operation against a key holding the wrong kind of value'
]) {
  t.test(`a listener is refused where the server says: ${message.slice(0, 30)}`, async t => {
    const reply = Object.assign(new Error(message), { name: 'ReplyError' })
    const streams = streamsOver(t, async () => { throw failureOf('bus.stream-position', reply) })
    await t.rejects(streams.subscribe('mine', () => {}, {}), { code: 'FST_RSP_REDIS_REPLY', message: /WRONGTYPE/ })
  })
}

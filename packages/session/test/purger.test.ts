import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { purger } from '../src/purger.ts'
import type { SessionStore } from '../src/stores/store.ts'

const everyMs = 60_000
const batchSize = 1_000

/** One that purges by what the test says, and how often it asked. */
function purging (t: Test, answer: (limit: number) => Promise<number>) {
  mock.timers.enable({ apis: ['setInterval'] })
  let [asked, told, nowMs] = [0, 0, 0]
  const store = {
    async purge (limit: number) {
      asked++
      return Array.from({ length: await answer(limit) }, (_, i) => ({ sid: `s${i}`, userId: undefined, expired: i % 2 === 0 }))
    }
  } as unknown as SessionStore
  const clock = { monotonicMs: () => nowMs }
  const respite = { logger: () => ({ debug () {} }), chance: () => 0, bus: { instances: 1 }, clock } as never
  const purge = purger({ store, events: { emit () { told++ } } as never, respite })
  purge.start()
  t.teardown(() => { purge.stop(); mock.timers.reset() })
  return {
    purge,
    asked: () => asked,
    told: () => told,
    minutes (n: number) {
      for (let i = 0; i < n; i++) {
        nowMs += everyMs
        mock.timers.tick(everyMs)
      }
    }
  }
}

const turns = async () => { for (let i = 0; i < 1_000; i++) await Promise.resolve() }

// Seen: with more than a thousand sessions a minute that expire the table only grew.
t.test('what has expired is deleted within the minute, in portions, whatever it is', async t => {
  let left = 4_500
  const { asked } = purging(t, async limit => {
    const some = Math.min(left, limit)
    left -= some
    return some
  })
  mock.timers.tick(everyMs)
  await turns()
  t.strictSame([left, asked()], [0, 5])
})

t.test('a store that is behind for ever is asked a bounded number of times, and none after the end', async t => {
  const { purge, asked } = purging(t, async () => batchSize)
  mock.timers.tick(everyMs)
  await turns()
  t.equal(asked(), 100)
  mock.timers.tick(everyMs)
  purge.stop()
  await turns()
  t.equal(asked(), 101)
})

t.test('a store that does not answer is not asked once more, but after ten minutes it is, whatever became of the first question', async t => {
  const answers: ((n: number) => void)[] = []
  const { asked, minutes } = purging(t, () => new Promise(resolve => { answers.push(resolve) }))
  minutes(10)
  await turns()
  t.equal(asked(), 1)
  minutes(2)
  await turns()
  t.equal(asked(), 2)
  answers[0]!(batchSize)
  await turns()
  t.equal(asked(), 2, 'the first goes on no more')
  minutes(1)
  t.equal(asked(), 2, 'and leaves the second its time')
  answers[1]!(0)
  await turns()
  minutes(1)
  t.equal(asked(), 3)
})

t.test('tells of what expired, and not of other rows that go', async t => {
  const { told, minutes } = purging(t, async () => 10)
  minutes(1)
  await turns()
  t.equal(told(), 5)
})

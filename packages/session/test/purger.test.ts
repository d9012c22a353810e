import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { purger } from '../src/purger.ts'
import type { SessionStore } from '../src/stores/store.ts'

const everyMs = 60_000
const most = 1_000

/** One that purges by what the test says, and how often it asked. */
function purging (t: Test, answer: (limit: number) => Promise<number>) {
  mock.timers.enable({ apis: ['setInterval'] })
  let asked = 0
  const store = {
    async purge (limit: number) {
      asked++
      return Array.from({ length: await answer(limit) }, (_, i) => ({ sid: `s${i}`, userId: undefined }))
    }
  } as unknown as SessionStore
  const respite = { logger: () => ({ debug () {} }), chance: () => 0, bus: { instances: 1 } } as never
  const purge = purger({ store, events: { emit () {} } as never, respite })
  purge.start()
  t.teardown(() => { purge.stop(); mock.timers.reset() })
  return { purge, asked: () => asked }
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
  const { purge, asked } = purging(t, async () => most)
  mock.timers.tick(everyMs)
  await turns()
  t.equal(asked(), 100)
  mock.timers.tick(everyMs)
  purge.stop()
  await turns()
  t.equal(asked(), 101)
})

t.test('a store that does not answer is not asked once more', async t => {
  const { asked } = purging(t, () => new Promise(() => undefined))
  for (let i = 0; i < 3; i++) mock.timers.tick(everyMs)
  await turns()
  t.equal(asked(), 1)
})

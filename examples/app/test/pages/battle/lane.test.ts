import t from 'tap'
import { type LaneOptions, runLane } from '../../../pages/battle/lane.ts'
import type { Answer, Outcome } from '../../../pages/battle/summary.ts'

/** A lane in a time of its own, in which each request takes so long. */
function lane (options: Partial<LaneOptions>, outcomeOf: (request: number) => Outcome = () => 'hit', latencyMs = 10) {
  const seen: Answer[] = []
  let [nowMs, inFlight, mostInFlight, asked] = [0, 0, 0, 0]
  const ran = runLane({
    ask: async () => {
      mostInFlight = Math.max(mostInFlight, ++inFlight)
      const outcome = outcomeOf(asked++)
      await Promise.resolve()
      nowMs += latencyMs
      inFlight--
      return outcome
    },
    concurrency: 1,
    durationMs: 100,
    maxRequests: 1_000,
    signal: new AbortController().signal,
    nowMs: () => nowMs,
    onAnswer: answer => seen.push(answer),
    ...options
  })
  return ran.then(elapsedMs => ({ elapsedMs, seen, mostInFlight, asked }))
}

t.test('begins requests until its time is over, and waits for those in flight', async t => {
  const { elapsedMs, seen } = await lane({ durationMs: 95 })
  t.equal(seen.length, 10)
  t.equal(elapsedMs, 100)
  t.same(seen[1], { atMs: 20, latencyMs: 10, outcome: 'hit' })
})

t.test('has as many in flight as it was told', async t => {
  t.equal((await lane({ concurrency: 3 })).mostInFlight, 3)
})

t.test('ends after so many requests', async t => {
  t.equal((await lane({ durationMs: 1e9, maxRequests: 25, concurrency: 3 })).asked, 25)
})

t.test('counts nothing that was in flight when it was stopped', async t => {
  const stop = new AbortController()
  const { seen } = await lane({ durationMs: 1e9, signal: stop.signal }, request => {
    if (request === 4) stop.abort()
    return 'hit'
  })
  t.equal(seen.length, 4)
})

t.test('gives up on a server that fails twenty times in a row, not on one that fails at times', async t => {
  t.equal((await lane({ durationMs: 1e9 }, () => 'failed')).asked, 20)
  t.equal((await lane({ durationMs: 1e9, maxRequests: 200 }, request => request % 20 === 0 ? 'hit' : 'failed')).asked, 200)
})

t.test('a request that throws has failed', async t => {
  const { seen } = await lane({ maxRequests: 1, ask: async () => { throw new TypeError('gone') } })
  t.match(seen, [{ outcome: 'failed' }])
})

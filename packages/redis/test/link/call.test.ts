import { until } from '@respite/testing'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { Call, type CallOwner, type Question } from '../../src/link/call.ts'
import { Deadlines } from '../../src/link/deadlines.ts'
import type { HistogramSeries } from '../../src/metrics/metrics.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const owner: CallOwner = { settled: (_call, error) => error }
const series: HistogramSeries = { observe () {}, count: 0, sum: 0, buckets: [] }

const make = (deadlines: Deadlines, callback: (error: Error | null, reply?: unknown) => void) => {
  const question: Question = { label: 'GET', name: 'GET', args: ['key'], key: 'key', bytes: false, redirect: 'follow', deadlines }
  const call = new Call(question, { owner, callback, startMs: 0, series })
  call.starting = false
  return call
}

// Seen: a fifth of a busy server's time went into collecting garbage, since answered calls lay among the deadlines
// and each of them kept its request alive.
t.test('an answered call keeps nothing of its caller alive, however long it lies among the deadlines', async t => {
  const clock = { monotonicMs: () => performance.now(), wallMs: () => 0 }
  const deadlines = new Deadlines(1_000, clock, () => {})
  const first = make(deadlines, () => {})
  deadlines.add(first, clock.monotonicMs())

  let answered = 0
  const ask = (): { call: Call, caller: WeakRef<object> } => {
    const request = { reply: undefined as unknown }
    const call = make(deadlines, (_error, reply) => { request.reply = reply; answered++ })
    deadlines.add(call, clock.monotonicMs())
    return { call, caller: new WeakRef(request) }
  }
  const { call, caller } = ask()
  call.done(null, 'value')
  t.equal(answered, 1)
  await until('the caller to be collected', () => {
    collectGarbage()
    return caller.deref() === undefined
  })
  t.same(call.args, [])
  call.done(null, 'once more')
  t.equal(answered, 1, 'a second answer is told to nobody')
  first.done(null, undefined)
})

import { EventEmitter } from 'node:events'
import type { Adapter } from '../clients/adapter.ts'
import type { Clock } from '../clock.ts'
import { metrics as named } from '../metrics.ts'
import type { HistogramSeries, Metric, Metrics } from '../metrics/metrics.ts'
import { Breaker } from './breaker.ts'
import { Call, type CallOwner, type Question } from './call.ts'
import { Deadlines } from './deadlines.ts'
import { closed, down, failureOf, fromReplica, timedOut } from './failures.ts'
import type { LinkCallback } from './link.ts'

export interface GuardOptions {
  adapter: Adapter
  metrics: Metrics
  clock: Clock
  deadlineMs: number
  breaker: { failures: number, probeEveryMs: number }
  /** Whether the server is known to be a replica; asked of each call. */
  replica (): boolean
  /** The breaker has opened or closed. */
  onBreaker (): void
  /** The server has answered with an error that begins with this word. */
  onRefusal (reply: string, message: string): void
}

const bucketBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/** What every call passes: a deadline, the breaker, the measure. */
export class Guard implements CallOwner {
  readonly breaker: Breaker
  readonly #options: GuardOptions
  readonly #deadlines = new Map<number, Deadlines>()
  readonly #durations: Metric<HistogramSeries>
  readonly #series = new Map<string, HistogramSeries>()
  readonly #idle = new EventEmitter()
  readonly #probe: NodeJS.Timeout
  #underWay = 0
  #closed = false

  constructor (options: GuardOptions) {
    this.#options = options
    const { metrics, breaker: { failures, probeEveryMs } } = options
    this.breaker = new Breaker(failures, () => options.onBreaker())
    this.#durations = metrics.histogram({ ...named.commandDuration, bucketBounds })
    metrics.gauge({ ...named.breakerState, collect: gauge => gauge.of().set({ closed: 0, 'half-open': 1, open: 2 }[this.breaker.state]) })
    this.#probe = setInterval(() => this.#tryAgain(), probeEveryMs).unref()
  }

  deadlines (ms: number): Deadlines {
    const known = this.#deadlines.get(ms)
    if (known !== undefined) return known
    const made = new Deadlines(ms, this.#options.clock, lateMs => {
      // Our own pause is not the server's; but a probe without an answer is tried again, whoever has paused.
      if (lateMs <= ms / 2 || this.breaker.state === 'half-open') this.breaker.failed(`no answer within ${ms} ms`)
    })
    this.#deadlines.set(ms, made)
    return made
  }

  exec (question: Question, callback: LinkCallback): void {
    if (this.#closed || this.breaker.state !== 'closed' || !this.#options.adapter.connected) setImmediate(callback, this.#closed ? closed(question.label) : down(question.label))
    // What it would answer may be older than what its master has acknowledged.
    else if (this.#options.replica()) setImmediate(callback, fromReplica(question.label))
    else this.#send(question, callback)
  }

  settled (call: Call, error: Error | null, isTimeout: boolean): Error | null {
    const tookMs = this.#options.clock.monotonicMs() - call.startMs
    call.series.observe(tookMs / 1_000)
    if (--this.#underWay === 0) this.#idle.emit('idle')
    if (isTimeout) return timedOut(call.label, call.deadlineMs)
    if (error === null) {
      this.breaker.succeeded()
      return null
    }
    const failure = failureOf(call.label, error)
    if (failure.outcome === 'refused') {
      this.breaker.succeeded()
      this.#options.onRefusal(failure.reply!, error.message)
    } else {
      this.breaker.failed(failure.outcome === 'unknown' ? 'the connection broke' : 'not connected')
    }
    return failure
  }

  /** Takes no more, and waits for what is under way, at most so long. */
  async close (withinMs: number): Promise<void> {
    this.#closed = true
    clearInterval(this.#probe)
    if (this.#underWay > 0) await this.#drained(withinMs)
    for (const deadlines of this.#deadlines.values()) deadlines.close()
  }

  #drained (withinMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, withinMs)
      this.#idle.once('idle', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #send (question: Question, callback: LinkCallback): void {
    const startMs = this.#options.clock.monotonicMs()
    const call = new Call(question, { owner: this, callback, startMs, series: this.#seriesOf(question.label) })
    this.#underWay++
    question.deadlines.add(call, startMs)
    if (question.node === undefined) this.#options.adapter.exec(call)
    else question.node.exec(call)
    call.starting = false
  }

  #seriesOf (label: string): HistogramSeries {
    const known = this.#series.get(label)
    if (known !== undefined) return known
    const series = this.#durations.of(label)
    // The metric bounds its series by itself; so must we what points to them.
    if (this.#series.size < 1_000) this.#series.set(label, series)
    return series
  }

  #tryAgain (): void {
    const { adapter, deadlineMs } = this.#options
    if (this.breaker.state !== 'open' || !adapter.connected) return
    this.breaker.probing()
    this.#send({ label: 'PING', name: 'PING', args: [], key: undefined, bytes: false, redirect: 'follow', deadlines: this.deadlines(deadlineMs) }, () => {}) // the breaker is told
  }
}

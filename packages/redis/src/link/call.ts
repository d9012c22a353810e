import type { Command, Node } from '../clients/adapter.ts'
import type { HistogramSeries } from '../metrics/metrics.ts'
import type { Deadlines, Pending } from './deadlines.ts'
import type { LinkCallback, RedisArg } from './link.ts'

/** What a call asks, and under what. */
export interface Question {
  /** For metrics and errors: the command, or the script's name. */
  readonly label: string
  readonly name: string
  readonly args: readonly RedisArg[]
  readonly key: string | undefined
  readonly bytes: boolean
  readonly redirect: Command['redirect']
  readonly deadlines: Deadlines
  /** The one server that is meant, whatever the slot. */
  readonly node?: Node | undefined
}

/** Who is told when a call is over. */
export interface CallOwner {
  /** Of an answer, an error, or (`timedOut`) of neither. What it returns is told to the caller. */
  settled (call: Call, error: Error | null, timedOut: boolean): Error | null
}

/** One question on its way: a command for the adapter, something pending for the deadlines. */
export class Call implements Command, Pending {
  readonly name: string
  readonly key: string | undefined
  readonly bytes: boolean
  readonly redirect: Command['redirect']
  readonly label: string
  readonly deadlineMs: number
  readonly startMs: number
  readonly series: HistogramSeries
  args: readonly RedisArg[]
  dueMs = 0
  over = false
  /** While it is being sent: an answer now must wait until the caller has returned. */
  starting = true
  readonly #owner: CallOwner
  #callback: LinkCallback

  constructor (question: Question, { owner, callback, startMs, series }: { owner: CallOwner, callback: LinkCallback, startMs: number, series: HistogramSeries }) {
    this.name = question.name
    this.key = question.key
    this.bytes = question.bytes
    this.redirect = question.redirect
    this.label = question.label
    this.args = question.args
    this.deadlineMs = question.deadlines.deadlineMs
    this.startMs = startMs
    this.series = series
    this.#owner = owner
    this.#callback = callback
  }

  done (error: Error | null, reply: unknown): void {
    // Late: its deadline has passed, and its caller knows.
    if (this.over) return
    this.over = true
    this.#finish(this.#owner.settled(this, error, false), reply)
  }

  expire (): void {
    this.#finish(this.#owner.settled(this, null, true), undefined)
  }

  // It may lie among the deadlines for a while yet: it must not keep a whole request alive until then.
  #finish (error: Error | null, reply: unknown): void {
    const callback = this.#callback
    this.args = nothing
    this.#callback = none
    if (this.starting) setImmediate(callback, error, reply)
    else callback(error, reply)
  }
}

const nothing: readonly RedisArg[] = []
const none: LinkCallback = () => {}

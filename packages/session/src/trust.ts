import { setTimeout as wait } from 'node:timers/promises'
import type { Chance, Clock } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'
import { ageMs, type Moment, momentOf } from './moment.ts'
import type { PendingRow, SessionStore } from './stores/store.ts'
import { withinDeadline } from './within-deadline.ts'

/** What the poller works with. */
export interface TrustParts {
  readonly store: SessionStore
  readonly clock: Clock
  readonly chance: Chance
  readonly log: FastifyBaseLogger
  readonly times: { readonly pollEveryMs: number, readonly trustMs: number, readonly durableDownMs: number, readonly deadlineMs: number }
  /** Tells Redis what it does not know yet: rows that have been pending for a while. */
  readonly heal: (rows: readonly PendingRow[]) => Promise<unknown>
  /** Told of the rows that Redis is not believed for from now on. */
  readonly onPending?: (rows: readonly Place[]) => void
}

/** Where a row's copy is. */
export type Place = Pick<PendingRow, 'tag' | 'hash'>

// More pending rows than this are not carried along: nothing is trusted until they are fewer.
const maxPending = 10_000
// What a crash left half done is taken over by others after this time.
const healAfterMs = 2_000
const never: Moment = { monotonicMs: -Infinity, wallMs: -Infinity }

/**
 * Whether Redis may be believed. A process believes it only if it lately asked the durable store for the rows that Redis
 * is not known to agree with, and never for those rows. So a change that Redis did not acknowledge holds everywhere once
 * `trustMs` have passed since its commit.
 */
export class Trust {
  readonly #parts: TrustParts
  #asked = never
  #bypass: ReadonlySet<string> = new Set()
  // Rows that this process has made pending, and how many polls had been sent by then: a later one tells of them. Bounded.
  readonly #lagging = new Map<string, number>()
  #polls = 0
  /** Answers up to this poll give no trust. */
  #lastVoidPoll = 0
  #failures = 0
  #firstSeenMs = new Map<string, number>()
  #healing = false
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor (parts: TrustParts) {
    this.#parts = parts
  }

  /** Whether a copy of this session may be believed now. */
  believes (hash: string): boolean {
    const ageMs = this.#ageMs()
    // Two polls in a row have failed: the durable store is down, and not this process that was asleep.
    return (ageMs < this.#parts.times.trustMs || (this.#failures >= 2 && ageMs < this.#parts.times.durableDownMs)) && this.#agrees(hash)
  }

  /** The same after the durable store itself has failed to answer for this session. */
  outlasts (hash: string): boolean {
    return this.#ageMs() < this.#parts.times.durableDownMs && this.#agrees(hash)
  }

  /** Whether the last polls have failed. */
  get durableDown (): boolean {
    return this.#failures >= 2
  }

  /** Resolves when every process has either asked since the commit that was just made, or believes nothing. */
  async afterCommit (): Promise<void> {
    await wait(Math.ceil(this.#parts.times.trustMs * 1.01))
  }

  /**
   * Redis did not acknowledge a change of this row: this process believes its copy no longer, the others from their next poll on.
   * @throws FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT
   */
  async lags ({ tag, hash }: Place): Promise<void> {
    const { store, times: { deadlineMs }, onPending } = this.#parts
    await withinDeadline(store.markPending(hash), deadlineMs, 'pending')
    if (this.#lagging.size < maxPending) this.#lagging.set(hash, this.#polls)
    else {
      this.#asked = never
      this.#lastVoidPoll = this.#polls
    }
    onPending?.([{ tag, hash }])
  }

  /** Asks once, then again and again. */
  async start (): Promise<void> {
    await this.poll()
    this.#schedule()
  }

  stop (): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** One question to the durable store. */
  async poll (): Promise<void> {
    const { store, clock, times, log } = this.#parts
    // Trust counts from when the question was sent: what was committed later is not in its answer.
    const asked = { ...momentOf(clock), poll: ++this.#polls }
    try {
      const rows = await withinDeadline(store.pending(maxPending + 1), times.deadlineMs, 'pending')
      if (this.#failures >= 2) log.info('the durable session store answers again')
      this.#failures = 0
      if (rows.length <= maxPending && asked.poll > this.#lastVoidPoll) this.#install(asked, rows)
      else {
        this.#asked = never
        log.error({ pending: Math.max(rows.length, this.#lagging.size) }, 'too many session rows that Redis does not know of: every request asks the durable store')
      }
      this.#heal(rows)
    } catch (error) {
      this.#failures++
      if (this.#failures === 2) log.error({ err: error }, 'the durable session store does not answer')
    }
  }

  #install ({ poll, ...asked }: Moment & { readonly poll: number }, rows: readonly PendingRow[]): void {
    this.#asked = asked
    this.#bypass = new Set(rows.map(row => row.hash))
    for (const [hash, before] of this.#lagging) if (poll > before) this.#lagging.delete(hash)
    this.#parts.onPending?.(rows)
  }

  #heal (rows: readonly PendingRow[]): void {
    const nowMs = this.#parts.clock.monotonicMs()
    const seen = new Map(rows.map(row => {
      const id = `${row.hash} ${row.pend}`
      return [id, this.#firstSeenMs.get(id) ?? nowMs]
    }))
    this.#firstSeenMs = seen
    const old = rows.filter(row => nowMs - seen.get(`${row.hash} ${row.pend}`)! >= healAfterMs)
    if (old.length === 0 || this.#healing) return
    this.#healing = true
    // Not waited for: trust must not lapse because there is much to heal.
    this.#parts.heal(old).catch((error: unknown) => {
      this.#parts.log.debug({ err: error }, 'pending session rows could not be healed')
    }).finally(() => { this.#healing = false })
  }

  /** Nothing is known that Redis did not acknowledge. */
  #agrees (hash: string): boolean {
    return !this.#bypass.has(hash) && !this.#lagging.has(hash)
  }

  #ageMs (): number {
    return ageMs(this.#parts.clock, this.#asked)
  }

  #schedule (): void {
    if (this.#stopped) return
    // Jitter, so that a fleet does not ask in step; below one, so that trust never lapses for it.
    const inMs = this.#parts.times.pollEveryMs * (0.8 + 0.2 * this.#parts.chance())
    this.#timer = setTimeout(() => { this.poll().finally(() => this.#schedule()) }, inMs).unref()
  }
}

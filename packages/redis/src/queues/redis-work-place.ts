import type { LinkError } from '../errors.ts'
import { replyOf } from '../link/failures.ts'
import { loadScript, type ScriptOptions } from '../script.ts'
import type { LaneReader } from '../streams/reading-lane.ts'
import type { StreamEntry } from '../streams/stream-entry.ts'
import type { DeathReason } from './queue.ts'
import type { JobTaker, WorkPlace } from './queue-store.ts'
import type { RedisQueueTools } from './redis-queue-store.ts'

const script = (name: string, options: ScriptOptions = {}) => loadScript(`bus.queue-${name}`, new URL(`../../lua/queue-${name}.lua`, import.meta.url), options)
const claiming = script('claim', { reply: 'bytes' })
const settling = script('settle')
const failing = script('fail')
const releasing = script('release')
const prolonging = script('prolong')
const leaving = script('leave')

const mostBetweenClaimsMs = 1_000
/** Leases of silence after which a worker without jobs is forgotten. */
const forgottenAfterLeases = 10

/** Where a worker of this process gets jobs from: what is new by XREADGROUP, what others have left by a look now and then. */
export class RedisWorkPlace implements WorkPlace, LaneReader {
  readonly key: string
  readonly after = '>'
  readonly #tools: RedisQueueTools
  readonly #taker: JobTaker
  readonly #open: () => Promise<void>
  #claimTimer: NodeJS.Timeout | undefined
  #claiming: Promise<void> | undefined
  #stopped = false
  #broken = false

  constructor (tools: RedisQueueTools, taker: JobTaker, open: () => Promise<void>) {
    this.key = tools.queueKey
    this.#tools = tools
    this.#taker = taker
    this.#open = open
  }

  get room (): number {
    return this.#stopped ? 0 : this.#taker.room
  }

  start (): void {
    const { lanes, options: { lease, keep } } = this.#tools
    lanes.add(this)
    // Each look also prolongs the keys.
    this.#claimTimer = setInterval(() => this.#claimSoon(), Math.min(lease / 4, keep / 4, mostBetweenClaimsMs)).unref()
  }

  wants (): void {
    this.#tools.lanes.wake(this)
  }

  receive (entries: readonly StreamEntry[]): undefined {
    this.#broken = false
    const jobs = entries.map(({ id, message }) => ({ id, attempt: 1, message }))
    if (this.#stopped) for (const { id } of jobs) this.release(id).catch(() => {}) // its lease passes
    else this.#taker.take(jobs)
  }

  async refused (error: Error): Promise<boolean> {
    if (replyOf(error) === 'NOGROUP') {
      await this.#open()
      return true
    }
    if (!this.#broken) this.#tools.broken(error)
    this.#broken = true
    return false
  }

  look (): void {}

  async settle (id: string): Promise<boolean> {
    const { link, worker, options: { keep } } = this.#tools
    return await link.run(settling, [this.key], [worker, id, keep]) === 1
  }

  async fail (id: string, reason: DeathReason, final: boolean): Promise<'retried' | 'dead' | 'taken'> {
    const { link, worker, deadKey, options: { attempts, lease, retryAfter, maxDead, keep } } = this.#tools
    const args = [worker, id, reason, final ? 0 : attempts, lease, retryAfter, maxDead, keep]
    const became = await link.run(failing, [this.key, deadKey], args) as 'retried' | 'dead' | 'taken'
    // At once: the answer to a look that came behind it may come with it, and name the job again.
    this.#taker.givenBack(id)
    return became
  }

  async release (id: string): Promise<void> {
    const { link, worker, options: { lease } } = this.#tools
    await link.run(releasing, [this.key], [worker, id, lease])
  }

  async prolong (ids: readonly string[]): Promise<readonly string[]> {
    const { link, worker } = this.#tools
    return await link.run(prolonging, [this.key], [worker, ...ids]) as string[]
  }

  async stop (): Promise<void> {
    this.#stopped = true
    clearInterval(this.#claimTimer)
    await this.#claiming
    // What was given to this worker and is still on its way comes, and is released.
    await this.#tools.lanes.remove(this)
  }

  async leave (): Promise<void> {
    const { link, worker } = this.#tools
    await link.run(leaving, [this.key], [worker]).catch(() => {}) // others forget it in time
  }

  #claimSoon (): void {
    if (this.#claiming !== undefined || this.#tools.link.state !== 'up') return
    this.#claiming = this.#claim().catch(async (error: LinkError) => {
      if (error.reply === 'NOGROUP') await this.#open()
    }).catch(() => {}).finally(() => { this.#claiming = undefined }) // the next look
  }

  /** Also where there is no room: jobs that were tried often enough are given up. */
  async #claim (): Promise<void> {
    const { link, worker, deadKey, options: { lease, attempts, maxDead, keep } } = this.#tools
    const args = [worker, this.room, lease, attempts, maxDead, keep, lease * forgottenAfterLeases]
    const [dead, taken] = await link.run(claiming, [this.key, deadKey], args) as [number, [Buffer, number, Buffer][]]
    if (dead > 0 || taken.length > 0) this.#tools.onClaimed(taken.length, dead)
    if (taken.length > 0) this.#taker.take(taken.map(([id, attempt, message]) => ({ id: id.toString(), attempt, message })))
  }
}

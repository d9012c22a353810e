import { type LinkError, randomToken } from '@respite/redis'
import type { Answer } from './answer.ts'
import { isEarly } from './early.ts'
import { FST_RSP_CACHE_FILL_FAILED, shown } from './errors.ts'
import { type Filled, Filler, type FillerParts } from './filler.ts'
import { type Job, sameWish } from './job.ts'
import type { Places } from './keys.ts'
import { OfflineRuns } from './offline-runs.ts'
import { Patience } from './patience.ts'
import type { Asked, Reader } from './reader.ts'
import type { MissReason } from './read-report.ts'
import { type Snapshot, isCurrent, snapshotOf } from './snapshot.ts'
import type { LeaseRequest, Versions } from './stores/store.ts'
import type { Waiting, Watch } from './waiting.ts'

/** What a loader works with. */
export interface LoaderParts extends FillerParts {
  readonly reader: Reader
  readonly places: Places
  readonly waiting: Waiting
  readonly leaseMs: number
}

/** An answer and where it comes from; undefined: the factory gave nothing. */
export interface Found {
  readonly answer: Answer | undefined
  readonly source: 'l2' | 'stale' | 'factory'
  /** Since it was stored; undefined: not known. */
  readonly ageMs: number | undefined
  /** How long it is still fresh. */
  readonly leftMs: number
  readonly missReason: MissReason | undefined
  /** How long the run of another was waited for. */
  readonly waitedMs: number
}

/** A run of this process, and what it began under; undefined: not known yet, or not whole. */
interface Flight { readonly token: string, snapshot: Snapshot | undefined, outcome: Promise<Filled> }
interface Search {
  except: string
  waited: string
  pauseMs: number
  until: number
  /** Waits for a second holder, after the first has died. */
  again: boolean
  readonly patience: Patience<Found> | undefined
  stale: Answer | undefined
  /** Of the first look: later ones see what others have done since. */
  missReason: MissReason | undefined
  waitedMs: number
}

/** Bounds of the time between two questions of a caller who waits for another process. */
const pauseMs = { first: 25, most: 200 }

/**
 * `getOrSet` across processes: one asks with a lease, fills, and the others wait for it. A caller joins a run of this
 * process only if the store, asked after the caller began, says that the run's lease stands: so an invalidation that
 * resolved before is never answered with what was loaded before it.
 */
export class Loader {
  readonly #parts: LoaderParts
  readonly #filler: Filler
  readonly #unsent = new Map<string, { job: Job, outcome: Promise<Found> }>()
  readonly #flights = new Map<string, Flight>()
  readonly #offline: OfflineRuns
  readonly #early = new Set<string>()

  constructor (parts: LoaderParts) {
    this.#parts = parts
    this.#filler = new Filler(parts)
    this.#offline = new OfflineRuns(this.#filler, parts)
  }

  load (job: Job): Promise<Found> {
    const open = this.#unsent.get(job.key)
    if (open !== undefined && sameWish(open.job, job)) {
      job.onElsewhere?.()
      return open.outcome
    }
    const outcome = Promise.resolve().then(() => {
      // From here on the question is under way: who comes later asks again.
      if (this.#unsent.get(job.key)?.outcome === outcome) this.#unsent.delete(job.key)
      return this.#begin(job)
    })
    this.#unsent.set(job.key, { job, outcome })
    return outcome
  }

  /** What is being loaded without Redis is older than an invalidation made here; undefined: all of it. */
  forget (key?: string): void {
    this.#offline.forget(key)
  }

  /** By chance, an entry that is still fresh is filled anew, behind whoever asked. */
  refreshEarly (job: Job, fresh: { id: string, answer: Answer, leftMs: number, costMs: number }): void {
    if (this.#early.has(job.key) || !isEarly(fresh, this.#parts.chance)) return
    this.#early.add(job.key)
    this.#filler.hide('early refresh', this.#refresh(job, fresh).finally(() => this.#early.delete(job.key)))
  }

  async #refresh (job: Job, { id, answer }: { id: string, answer: Answer }): Promise<void> {
    const request = this.#request(job, { except: id, waited: '' })
    const asked = await this.#parts.reader.ask(job.key, job.tags, request)
    if (asked.lease === 'LEASED') await this.#fill(job, request.token, { versions: asked.versions, stale: answer })
  }

  #begin (job: Job): Promise<Found> {
    const { clock, leaseMs, onHidden } = this.#parts
    const patient = job.errorMs > 0 || job.hardTimeoutMs !== undefined
    const patience = patient ? new Patience<Found>(job) : undefined
    const search: Search = { except: '', waited: '', pauseMs: pauseMs.first, until: clock.monotonicMs() + leaseMs, again: false, patience, stale: undefined, missReason: undefined, waitedMs: 0 }
    const watch = this.#parts.waiting.watch(this.#parts.places.val(job.key))
    const outcome = this.#search(job, search, watch).finally(watch.end)
    return patience === undefined ? outcome : patience.wait(outcome, error => onHidden('refresh', error))
  }

  async #search (job: Job, search: Search, watch: Watch): Promise<Found> {
    const { clock, reader } = this.#parts
    for (let last = false; !last;) {
      // Who has waited for a lease asks once more: if its holder has died, one of those who waited fills.
      last = clock.monotonicMs() >= search.until
      const request = this.#request(job, search)
      let asked: Asked
      try {
        asked = await reader.ask(job.key, job.tags, request)
      } catch (error) {
        search.missReason ??= 'unavailable'
        return made(this.#withoutRedis(job, request.token, error), search)
      }
      search.missReason ??= asked.missReason
      const found = this.#decide(job, request.token, { asked, search })
      if (found !== undefined) return found
      if (this.#hasNewHolder(asked, search)) last = false
      const joined = last ? undefined : await this.#join(job, asked, { search, watch })
      if (joined !== undefined) return joined
    }
    // One lease time has passed: whoever fills this key does not come to an end.
    return made(this.#filler.alone(job, search.stale), search)
  }

  /** Waited for in its turn, once: nobody waits for more than two leases. */
  #hasNewHolder ({ lease, holder }: Asked, search: Search): boolean {
    if (lease !== 'WAIT' || search.waited === '' || holder === search.waited || search.again) return false
    search.again = true
    search.until = this.#parts.clock.monotonicMs() + this.#parts.leaseMs
    return true
  }

  #request (job: Job, { except, waited }: Pick<LeaseRequest, 'except' | 'waited'>): LeaseRequest {
    return { token: randomToken(), leaseMs: this.#parts.leaseMs, except, waited, clock: job.wantsClock, withinMs: job.l2TimeoutMs }
  }

  /** The outcome, or undefined when another fills and this one waits, or the dead record is to be asked past. */
  #decide (job: Job, token: string, { asked, search }: { asked: Asked, search: Search }): Promise<Found> | undefined {
    const { journal } = this.#parts
    const { answer, versions, ageMs, leftMs } = asked
    if (asked.state === 'FAILED') throw new FST_RSP_CACHE_FILL_FAILED(shown(job.key))
    if (asked.state === 'SKIPPED' || asked.state === 'FOREIGN') return made(this.#filler.alone(job, search.stale), search)
    if (answer !== undefined && (asked.state === 'HIT' || (job.staleMs > 0 && asked.pastMs <= job.staleMs))) {
      journal.hitL2(job.key, asked.state === 'STALE')
      if (asked.lease === 'LEASED') this.#filler.hide('refresh', this.#fill(job, token, { versions, stale: answer }))
      else job.onElsewhere?.()
      if (asked.state === 'HIT' && job.early) this.refreshEarly(job, { id: asked.id, answer, leftMs: asked.leftMs, costMs: asked.costMs })
      return Promise.resolve({ answer, source: asked.state === 'HIT' ? 'l2' : 'stale', ageMs, leftMs, missReason: search.missReason, waitedMs: search.waitedMs })
    }
    search.stale = answer
    search.patience?.offer(answer !== undefined && asked.pastMs <= job.errorMs ? { answer, source: 'stale', ageMs, leftMs, missReason: search.missReason, waitedMs: search.waitedMs } : undefined)
    if (asked.lease === 'LEASED') {
      journal.miss(job.key, search.missReason ?? 'absent')
      return made(this.#fill(job, token, { versions, stale: answer }), search)
    }
    if (asked.deadId !== '') search.except = asked.deadId
    return undefined
  }

  /** Joins the run that fills, or waits for it; undefined: ask again. */
  async #join (job: Job, asked: Asked, { search, watch }: { search: Search, watch: Watch }): Promise<Found | undefined> {
    if (asked.lease !== 'WAIT') return undefined
    job.onElsewhere?.()
    search.waited = asked.holder
    const flight = this.#flights.get(job.key)
    if (flight?.token === asked.holder && flight.snapshot !== undefined && isCurrent(flight.snapshot, asked.versions)) return this.#joinFlight(job, flight, search)
    if (job.alone) return made(this.#beside(job, asked, search.stale), search)
    await this.#waited(search, watch.pause(search.pauseMs))
    search.pauseMs = Math.min(2 * search.pauseMs, pauseMs.most)
    return undefined
  }

  async #joinFlight (job: Job, flight: Flight, search: Search): Promise<Found | undefined> {
    const { clock, waiting } = this.#parts
    const inTime = waiting.ends(flight.outcome, search.until - clock.monotonicMs())
    await this.#waited(search, inTime)
    if (!await inTime) return made(this.#filler.alone(job, search.stale), search)
    const filled = await flight.outcome
    // A tag that the factory has added may have been invalidated before this caller began.
    return filled.added ? undefined : foundOf(filled, search)
  }

  async #waited (search: Search, work: Promise<unknown>): Promise<void> {
    const { clock } = this.#parts
    const from = clock.monotonicMs()
    try {
      await work
    } finally {
      search.waitedMs += clock.monotonicMs() - from
    }
  }

  /** A run beside that of another process, joined here by whoever would wait for that one: neither is older than its lease. */
  #beside (job: Job, { holder, versions }: Asked, stale: Answer | undefined): Promise<Filled> {
    return this.#fly(job, { token: holder, snapshot: snapshotOf(job.tags, versions), outcome: this.#filler.alone(job, stale) })
  }

  #fill (job: Job, token: string, { versions, stale }: { versions: Versions, stale: Answer | undefined }): Promise<Filled> {
    const flight: Flight = { token, snapshot: undefined, outcome: Promise.resolve(undefined as never) }
    flight.outcome = this.#run(job, flight, { versions, stale })
    return this.#fly(job, flight)
  }

  #fly (job: Job, flight: Flight): Promise<Filled> {
    flight.outcome = flight.outcome.finally(() => {
      if (this.#flights.get(job.key) === flight) this.#flights.delete(job.key)
    })
    this.#flights.set(job.key, flight)
    return flight.outcome
  }

  async #run (job: Job, flight: Flight, { versions, stale }: { versions: Versions, stale: Answer | undefined }): Promise<Filled> {
    try {
      flight.snapshot = await this.#filler.snapshot(job, versions)
    } catch (error) {
      return this.#withoutRedis(job, flight.token, error)
    }
    return this.#filler.fill(job, { token: flight.token, snapshot: flight.snapshot, clock: versions.clock, stale })
  }

  #withoutRedis (job: Job, token: string, error: unknown): Promise<Filled> {
    const outcome = (error as Partial<LinkError>).outcome
    if (outcome === undefined) throw error
    // The lease may have been taken all the same.
    if (outcome === 'unknown') this.#filler.hide('release', this.#parts.store.done(job.key, token, '-'))
    return this.#offline.run(job)
  }
}

async function made (filled: Promise<Filled>, search: Search): Promise<Found> {
  return foundOf(await filled, search)
}

function foundOf ({ answer, softMs }: Filled, { missReason, waitedMs }: Search): Found {
  return { answer, source: 'factory', ageMs: 0, leftMs: softMs, missReason, waitedMs }
}

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
import { type Found, Search } from './search.ts'
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

/** A run of this process, and what it began under; undefined: not known yet, or not whole. */
interface Flight { readonly token: string, snapshot: Snapshot | undefined, outcome: Promise<Filled> }

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
    const search = new Search({ clock, leaseMs, patience })
    const watch = this.#parts.waiting.watch(this.#parts.places.val(job.key))
    const outcome = this.#search(job, search, watch).finally(watch.end)
    return patience === undefined ? outcome : patience.wait(outcome, error => onHidden('refresh', error))
  }

  async #search (job: Job, search: Search, watch: Watch): Promise<Found> {
    const { reader } = this.#parts
    for (let last = false; !last;) {
      // Who has waited for a lease asks once more: if its holder has died, one of those who waited fills.
      last = search.leftMs <= 0
      const request = this.#request(job, search)
      let asked: Asked
      try {
        asked = await reader.ask(job.key, job.tags, request)
      } catch (error) {
        search.missed('unavailable')
        return search.made(this.#withoutRedis(job, request.token, error))
      }
      search.missed(asked.missReason)
      const found = this.#decide(job, request.token, { asked, search })
      if (found !== undefined) return found
      if (search.hasNewHolder(asked)) last = false
      const joined = last ? undefined : await this.#join(job, asked, { search, watch })
      if (joined !== undefined) return joined
    }
    // One lease time has passed: whoever fills this key does not come to an end.
    return search.made(this.#filler.alone(job, search.stale))
  }

  #request (job: Job, { except, waited }: Pick<LeaseRequest, 'except' | 'waited'>): LeaseRequest {
    return { token: randomToken(), leaseMs: this.#parts.leaseMs, except, waited, clock: job.wantsClock, withinMs: job.l2TimeoutMs }
  }

  /** The outcome, or undefined when another fills and this one waits, or the dead record is to be asked past. */
  #decide (job: Job, token: string, { asked, search }: { asked: Asked, search: Search }): Promise<Found> | undefined {
    const { journal } = this.#parts
    const { answer, versions } = asked
    if (asked.state === 'FAILED') throw new FST_RSP_CACHE_FILL_FAILED(shown(job.key))
    if (asked.state === 'SKIPPED' || asked.state === 'FOREIGN') return search.made(this.#filler.alone(job, search.stale))
    if (answer !== undefined && (asked.state === 'HIT' || (job.staleMs > 0 && asked.pastMs <= job.staleMs))) {
      journal.hitL2(job.key, asked.state === 'STALE')
      if (asked.lease === 'LEASED') this.#filler.hide('refresh', this.#fill(job, token, { versions, stale: answer }))
      else job.onElsewhere?.()
      if (asked.state === 'HIT' && job.early) this.refreshEarly(job, { id: asked.id, answer, leftMs: asked.leftMs, costMs: asked.costMs })
      return Promise.resolve(search.stored(answer, asked.state === 'HIT' ? 'l2' : 'stale', asked))
    }
    search.stale = answer
    search.offer(asked.pastMs <= job.errorMs ? answer : undefined, asked)
    if (asked.lease === 'LEASED') {
      journal.miss(job.key, search.missReason ?? 'absent')
      return search.made(this.#fill(job, token, { versions, stale: answer }))
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
    if (job.alone) return search.made(this.#beside(job, asked, search.stale))
    await search.wait(watch.pause(search.nextPauseMs()))
    return undefined
  }

  async #joinFlight (job: Job, flight: Flight, search: Search): Promise<Found | undefined> {
    const inTime = this.#parts.waiting.ends(flight.outcome, search.leftMs)
    await search.wait(inTime)
    if (!await inTime) return search.made(this.#filler.alone(job, search.stale))
    const filled = await flight.outcome
    // A tag that the factory has added may have been invalidated before this caller began.
    return filled.added ? undefined : search.filled(filled)
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

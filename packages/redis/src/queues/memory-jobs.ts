import type { ResolvedQueueOptions, DeathReason } from './queue.ts'
import type { DeadMessage, JobTaker, QueueStore, TakenJob, WorkPlace } from './queue-store.ts'

interface Job {
  readonly id: string
  readonly message: Buffer
  tries: number
  /** Who works on it; undefined: it waits. */
  worker: MemoryWorkPlace | undefined
}

/** The jobs of a queue within the process, for all its instances. Twin of lua/queue-*.lua; no lease passes, since nobody here dies alone. */
export class MemoryJobs implements QueueStore {
  readonly #options: ResolvedQueueOptions
  readonly #jobs = new Map<string, Job>()
  readonly #waiting: Job[] = []
  readonly #places = new Set<MemoryWorkPlace>()
  #dead: DeadMessage[] = []
  #last = 0
  #handing = false

  constructor (options: ResolvedQueueOptions) {
    this.#options = options
  }

  async add (message: string): Promise<string | undefined> {
    return this.#add(Buffer.from(message))
  }

  async work (taker: JobTaker): Promise<WorkPlace> {
    const place: MemoryWorkPlace = new MemoryWorkPlace(taker, {
      hand: () => this.#handSoon(),
      own: id => {
        const job = this.#jobs.get(id)
        return job?.worker === place ? job : undefined
      },
      settle: job => { this.#jobs.delete(job.id) },
      fail: (job, reason, final) => this.#fail(job, reason, final),
      release: job => {
        job.tries--
        this.#back(job)
      },
      leave: () => { this.#places.delete(place) }
    })
    this.#places.add(place)
    return place
  }

  async counts (): Promise<{ pending: number, dead: number }> {
    return { pending: this.#jobs.size, dead: this.#dead.length }
  }

  async dead (count: number, after: string | undefined): Promise<DeadMessage[]> {
    const from = after === undefined ? 0 : this.#dead.findIndex(({ id }) => Number(id.split('-')[1]) > Number(after.split('-')[1]))
    return from === -1 ? [] : this.#dead.slice(from, from + count)
  }

  async redrive (ids: readonly string[]): Promise<number> {
    let moved = 0
    for (const id of ids) {
      const letter = this.#dead.find(dead => dead.id === id)
      if (letter === undefined || this.#add(letter.message) === undefined) continue
      this.#dead = this.#dead.filter(dead => dead !== letter)
      moved++
    }
    return moved
  }

  async discard (ids: readonly string[]): Promise<number> {
    const before = this.#dead.length
    this.#dead = this.#dead.filter(({ id }) => !ids.includes(id))
    return before - this.#dead.length
  }

  #add (message: Buffer): string | undefined {
    if (this.#jobs.size >= this.#options.maxPending) return undefined
    const job: Job = { id: `0-${++this.#last}`, message, tries: 0, worker: undefined }
    this.#jobs.set(job.id, job)
    this.#back(job)
    return job.id
  }

  #back (job: Job): void {
    job.worker = undefined
    this.#waiting.push(job)
    this.#handSoon()
  }

  #fail (job: Job, reason: DeathReason, final: boolean): 'retried' | 'dead' {
    const { attempts, retryAfter, lease, maxDead } = this.#options
    if (final || job.tries >= attempts) {
      this.#jobs.delete(job.id)
      this.#dead.push({ id: `0-${++this.#last}`, message: job.message, attempts: job.tries, reason })
      if (this.#dead.length > maxDead) this.#dead.shift()
      return 'dead'
    }
    job.worker = undefined
    setTimeout(() => this.#back(job), Math.min(lease, retryAfter * 2 ** (job.tries - 1))).unref()
    return 'retried'
  }

  // Never within `add`: with a server no handler runs inside the caller's call either.
  #handSoon (): void {
    if (this.#handing) return
    this.#handing = true
    setImmediate(() => {
      this.#handing = false
      for (const place of this.#places) {
        const jobs = this.#waiting.splice(0, place.room)
        for (const job of jobs) {
          job.worker = place
          job.tries++
        }
        if (jobs.length > 0) place.take(jobs.map(({ id, tries, message }) => ({ id, attempt: tries, message })))
      }
    })
  }
}

/** What the jobs offer to one place. */
interface MemoryDesk {
  hand (): void
  /** The job of this id, if it is this worker's. */
  own (id: string): Job | undefined
  settle (job: Job): void
  fail (job: Job, reason: DeathReason, final: boolean): 'retried' | 'dead'
  release (job: Job): void
  leave (): void
}

/** Where a worker of this process gets jobs from, and gives them back. */
export class MemoryWorkPlace implements WorkPlace {
  readonly #taker: JobTaker
  readonly #desk: MemoryDesk
  #stopped = false

  constructor (taker: JobTaker, desk: MemoryDesk) {
    this.#taker = taker
    this.#desk = desk
  }

  get room (): number {
    return this.#stopped ? 0 : this.#taker.room
  }

  take (jobs: readonly TakenJob[]): void {
    this.#taker.take(jobs)
  }

  wants (): void {
    this.#desk.hand()
  }

  async settle (id: string): Promise<boolean> {
    const job = this.#desk.own(id)
    if (job !== undefined) this.#desk.settle(job)
    return job !== undefined
  }

  async fail (id: string, reason: DeathReason, final: boolean): Promise<'retried' | 'dead' | 'taken'> {
    const job = this.#desk.own(id)
    return job === undefined ? 'taken' : this.#desk.fail(job, reason, final)
  }

  async release (id: string): Promise<void> {
    const job = this.#desk.own(id)
    if (job !== undefined) this.#desk.release(job)
  }

  async prolong (ids: readonly string[]): Promise<readonly string[]> {
    return ids.filter(id => this.#desk.own(id) === undefined)
  }

  async stop (): Promise<void> {
    this.#stopped = true
  }

  async leave (): Promise<void> {
    this.#desk.leave()
  }
}

import type { FastifyBaseLogger } from 'fastify'
import { decodeEnvelope } from '../bus/envelope.ts'
import type { TypedTopic } from '../bus/topic-definition.ts'
import type { Clock } from '../clock.ts'
import { FST_RSP_BUS_JOB_DEADLINE, FST_RSP_BUS_JOB_TAKEN } from '../errors.ts'
import type { Metric, CounterSeries } from '../metrics/metrics.ts'
import type { DeathReason, JobHandler, ResolvedQueueOptions } from './queue.ts'
import type { JobTaker, TakenJob, WorkPlace } from './queue-store.ts'

interface WorkerContext<T> {
  topic: TypedTopic<T>
  options: ResolvedQueueOptions
  concurrency: number
  handler: JobHandler<T>
  clock: Clock
  log: Pick<FastifyBaseLogger, 'error'>
  jobs: Metric<CounterSeries>
}

interface RunningJob extends TakenJob {
  readonly controller: AbortController
  readonly dueMs: number
  /** It is no longer ours: another worker has it, or the end of this one gives it back. */
  taken: boolean
  /** It failed: it is given back, to be tried again in a while or to be given up, or (`given`) the store has it. */
  back: 'given' | 'giving' | undefined
  /** It was handed out once more before this try was put away. */
  next: TakenJob | undefined
}

/** What a worker can say of a job; that its process crashed, only others can. */
type Failure = Exclude<DeathReason, 'crashed'>

const settleAgainMs = 100

/** Runs the handler of a queue for the jobs it is given, so many at once, each within its deadline, and says what became of them. */
export class Worker<T> implements JobTaker {
  readonly #about: WorkerContext<T>
  readonly #running = new Map<string, RunningJob>()
  readonly #beat: NodeJS.Timeout
  #place: WorkPlace | undefined
  #stopping: Promise<void> | undefined
  #onIdle: (() => void) | undefined

  constructor (about: WorkerContext<T>) {
    this.#about = about
    this.#beat = setInterval(() => this.#prolong(), about.options.lease / 3).unref()
  }

  get running (): number {
    return this.#running.size
  }

  get room (): number {
    return this.#stopped || this.#place === undefined ? 0 : this.#about.concurrency - this.#running.size
  }

  /** It works from now on. */
  start (place: WorkPlace): void {
    this.#place = place
    if (this.#stopped) {
      place.stop().then(() => place.leave()).catch(() => {}) // others forget it in time
      return
    }
    place.wants()
  }

  take (jobs: readonly TakenJob[]): void {
    for (const job of jobs) {
      const running = this.#running.get(job.id)
      if (running !== undefined) {
        // Else it is given once more to the worker that has it and whose lease had passed: who is at it, or has told since that it is done.
        if (running.back === 'given') running.next = job
        continue
      }
      // Both the read and the look at what others have left ask for all the room there is.
      if (this.room <= 0) this.#place!.release(job.id).catch(() => {}) // its lease passes
      else this.#run({ ...job, controller: new AbortController(), dueMs: this.#dueMs(), taken: false, back: undefined, next: undefined })
    }
  }

  givenBack (id: string): void {
    const job = this.#running.get(id)
    if (job !== undefined) job.back = 'given'
  }

  /** Takes no more, and waits for those at work, at most so long; what is not done by then is aborted. */
  stop (withinMs: number): Promise<void> {
    this.#stopping ??= this.#stop(withinMs)
    return this.#stopping
  }

  #dueMs (): number {
    return this.#about.clock.monotonicMs() + this.#about.options.deadline
  }

  get #stopped (): boolean {
    return this.#stopping !== undefined
  }

  async #stop (withinMs: number): Promise<void> {
    const place = this.#place
    if (place === undefined) {
      clearInterval(this.#beat)
      return
    }
    await place.stop()
    if (this.#running.size > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, withinMs)
        this.#onIdle = () => { clearTimeout(timer); resolve() }
      })
    }
    clearInterval(this.#beat)
    for (const job of this.#running.values()) {
      job.taken = true
      job.controller.abort(new FST_RSP_BUS_JOB_TAKEN(this.#about.topic.name))
      await place.release(job.id).catch(() => {}) // its lease passes
    }
    await place.leave()
  }

  #run (job: RunningJob): void {
    this.#running.set(job.id, job)
    this.#work(job).catch(error => this.#about.log.error({ err: error, queue: this.#about.topic.name }, 'a job could not be given back')).finally(() => {
      this.#running.delete(job.id)
      if (job.next !== undefined) this.take([job.next])
      if (this.#running.size === 0) this.#onIdle?.()
      if (!this.#stopped) this.#place!.wants()
    })
  }

  async #work (job: RunningJob): Promise<void> {
    const reason = await this.#outcome(job)
    if (job.taken) this.#count('taken')
    else if (reason === undefined) await this.#settle(job)
    else await this.#fail(job, reason)
  }

  /** @returns why it is not done; undefined: it is */
  async #outcome (job: RunningJob): Promise<Failure | undefined> {
    const { topic, handler, log } = this.#about
    const envelope = decodeEnvelope(job.message)
    if (typeof envelope === 'string') return 'malformed'
    try {
      const { id, attempt, controller: { signal } } = job
      // The check is the app's too, and may take as long.
      return await this.#inTime(job, async () => {
        const checked = await topic.check(envelope.value)
        if ('misfit' in checked) return 'invalid'
        signal.throwIfAborted()
        await handler(checked.value, { id, queue: topic.name, attempt, origin: envelope.origin, signal })
        return undefined
      })
    } catch (error) {
      // The message stays out of the log: it is the app's.
      if (!job.taken) log.error({ err: error, queue: topic.name, job: job.id, attempt: job.attempt }, 'a job failed')
      return error instanceof FST_RSP_BUS_JOB_DEADLINE ? 'deadline' : 'failed'
    }
  }

  #inTime<R> (job: RunningJob, work: () => Promise<R>): Promise<R> {
    const { topic: { name }, options: { deadline } } = this.#about
    return new Promise((resolve, reject) => {
      const { signal } = job.controller
      const timer = setTimeout(() => job.controller.abort(new FST_RSP_BUS_JOB_DEADLINE(name, deadline)), deadline)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      work().then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }

  /** Says that it is done, until that is heard or its deadline passes: then somebody does it once more. */
  async #settle (job: RunningJob): Promise<void> {
    for (;;) {
      try {
        this.#count(await this.#place!.settle(job.id) ? 'done' : 'taken')
        return
      } catch (error) {
        if (this.#stopped || job.taken || this.#about.clock.monotonicMs() > job.dueMs) throw error
        await new Promise(resolve => { setTimeout(resolve, settleAgainMs).unref() })
      }
    }
  }

  async #fail (job: RunningJob, reason: Failure): Promise<void> {
    this.#count(reason)
    job.back = 'giving'
    const became = await this.#place!.fail(job.id, reason, reason === 'invalid' || reason === 'malformed')
    if (became !== 'retried') this.#count(became)
  }

  #prolong (): void {
    // Prolonged, what waits to be tried again would wait for a whole lease.
    const ids = Array.from(this.#running.values()).filter(({ back }) => back === undefined).map(({ id }) => id)
    if (ids.length === 0) return
    this.#place!.prolong(ids).then(lost => {
      for (const id of lost) {
        const job = this.#running.get(id)
        if (job === undefined) continue
        job.taken = true
        job.controller.abort(new FST_RSP_BUS_JOB_TAKEN(this.#about.topic.name))
      }
    }, () => {}) // the next beat, or the lease
  }

  #count (outcome: string): void {
    this.#about.jobs.of(this.#about.topic.name, outcome).inc()
  }
}

import type { Duration } from '../duration.ts'

/** How a queue treats its jobs, and how many there may be. */
export interface QueueOptions {
  /** How often a job is handed out before it is given up; a delivery that is lost before the handler begins counts. @default 5 */
  attempts?: number
  /** The time a handler has, with the check of the value; then the job is tried again. @default '30s' */
  deadline?: Duration
  /** A job of a worker that was not heard of for so long is given to another. @default '10s' */
  lease?: Duration
  /** Time before a failed job is tried again; it doubles with each try, up to `lease`. @default '1s' */
  retryAfter?: Duration
  /** Jobs that wait or are at work; beyond, `add` is refused. @default 10_000 */
  maxPending?: number
  /** Dead letters that are kept; beyond, the oldest go. @default 1_000 */
  maxDead?: number
  /** How long the queue is kept when nobody adds to it or works on it. @default '7d' */
  keep?: Duration
}

/** Complete; durations are milliseconds. */
export interface ResolvedQueueOptions {
  readonly attempts: number
  readonly deadline: number
  readonly lease: number
  readonly retryAfter: number
  readonly maxPending: number
  readonly maxDead: number
  readonly keep: number
}

/** What a handler is told beside the value. */
export interface JobInfo {
  readonly id: string
  readonly queue: string
  /** 1 the first time it is handed out. */
  readonly attempt: number
  /** The instance that added it. */
  readonly origin: string
  /** Aborted when the deadline has passed, or another worker has taken the job over, or this one waits for it no longer at its end: what is done from then on is not counted. */
  readonly signal: AbortSignal
}

/** Does a job: it is done when what it returns has resolved. */
export type JobHandler<T> = (value: T, job: JobInfo) => unknown

/** How a process works on a queue. */
export interface WorkOptions {
  /** Jobs at work at once in this process. @default 10 */
  concurrency?: number
}

const deathReasons = ['failed', 'deadline', 'crashed', 'invalid', 'malformed'] as const

/** Why a job was given up. */
export type DeathReason = typeof deathReasons[number]

export const isDeathReason = (reason: string): reason is DeathReason => (deathReasons as readonly string[]).includes(reason)

/** A job that was given up. */
export interface DeadLetter<T> {
  readonly id: string
  /** Undefined where it was not readable. */
  readonly value: T | undefined
  /** 0 for what somebody else put there. */
  readonly attempts: number
  readonly reason: DeathReason
}

/** A work queue: each job is done by one instance, at least once. */
export interface Queue<T> {
  readonly name: string
  /**
   * Resolves with the job's id when the server has taken it.
   * @throws FST_RSP_BUS_QUEUE_FULL, FST_RSP_BUS_INVALID, FST_RSP_BUS_NOT_SERIALISABLE, FST_RSP_BUS_TOO_LARGE, or a `LinkError`
   */
  add (value: NoInfer<T>): Promise<string>
  /**
   * Begins to work. A job is acknowledged when the handler's promise resolves; when it rejects, or the deadline passes, it is tried again.
   * @returns the way to stop: no more jobs are taken, and it resolves when those at work are done
   * @throws FST_RSP_BUS_QUEUE_TWICE when this process works on it already
   */
  work (handler: JobHandler<NoInfer<T>>, options?: WorkOptions): Promise<() => Promise<void>>
  /** `pending`: wait or are at work, in all instances. */
  counts (): Promise<{ pending: number, dead: number }>
  /** Jobs that were given up, the oldest first: 100 of them, or `count`, at most 1,000. @param after - behind this id @throws FST_RSP_BUS_LETTER_ID_INVALID */
  dead (page?: { count?: number, after?: string }): Promise<DeadLetter<T>[]>
  /** Puts dead letters back as new jobs. @returns how many there were, and there was room for @throws FST_RSP_BUS_LETTER_ID_INVALID: none is put back */
  redrive (ids: readonly string[]): Promise<number>
  /** Deletes dead letters. @returns how many there were @throws FST_RSP_BUS_LETTER_ID_INVALID: none is deleted */
  discard (ids: readonly string[]): Promise<number>
}

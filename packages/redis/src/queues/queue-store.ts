import type { DeathReason } from './queue.ts'

/** A job as a worker is given it. */
export interface TakenJob {
  readonly id: string
  readonly attempt: number
  readonly message: Buffer
}

/** A job that was given up, as it lies in the store. */
export interface DeadMessage {
  readonly id: string
  readonly message: Buffer
  readonly attempts: number
  readonly reason: DeathReason
}

/** What a store hands jobs to. */
export interface JobTaker {
  /** How many it can take now. */
  readonly room: number
  take (jobs: readonly TakenJob[]): void
  /** A job that failed is the store's again: should it be handed out once more from now on, it is to be tried again. */
  givenBack (id: string): void
}

/** What a worker has at a store: jobs are its own until it gives them back, or its lease has passed. */
export interface WorkPlace {
  /** There is room again. */
  wants (): void
  /** The job is done. @returns false: it was no longer ours */
  settle (id: string): Promise<boolean>
  /** It is to be tried again in a while, or to be given up after its last try, at once where `final`. */
  fail (id: string, reason: DeathReason, final: boolean): Promise<'retried' | 'dead' | 'taken'>
  /** Somebody else may have it, and this was no try. */
  release (id: string): Promise<void>
  /** Still at work. @returns those that are no longer ours */
  prolong (ids: readonly string[]): Promise<readonly string[]>
  /** Hands out no more. What comes after it is released. */
  stop (): Promise<void>
  /** All is given back. */
  leave (): Promise<void>
}

/** The jobs of one queue. */
export interface QueueStore {
  /** @returns the job's id; undefined: the queue is full */
  add (message: string): Promise<string | undefined>
  work (taker: JobTaker): Promise<WorkPlace>
  counts (): Promise<{ pending: number, dead: number }>
  dead (count: number, after: string | undefined): Promise<DeadMessage[]>
  redrive (ids: readonly string[]): Promise<number>
  discard (ids: readonly string[]): Promise<number>
}

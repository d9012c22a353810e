import type { Chance, Clock } from '@respite/redis'
import { type Answer, answerOf, written } from './answer.ts'
import { type Body, type Writing, encodeValue } from './codecs/body.ts'
import { FST_RSP_CACHE_FILL_TIMEOUT, shown } from './errors.ts'
import { Filling } from './fill-context.ts'
import type { Job } from './job.ts'

/** What a run works with. */
export interface RunParts {
  readonly clock: Clock
  readonly chance: Chance
  /** Whether callers get copies of plain values too. */
  readonly copy: boolean
  readonly writing: Writing
}

/** What a factory has given. */
export interface Produced {
  /** Undefined: it gave nothing. */
  readonly answer: Answer | undefined
  /** What to store; undefined: nothing is to be stored. */
  readonly body: Body | undefined
  readonly softMs: number
  /** The tags it has added. */
  readonly tags: readonly string[]
  readonly costMs: number
}

/**
 * Runs a factory, no longer than it may.
 * @throws what it throws, FST_RSP_CACHE_FILL_TIMEOUT, FST_RSP_CACHE_NOT_SERIALISABLE
 */
export async function runFactory (job: Job, stale: Answer | undefined, { clock, chance, copy, writing: { codec } }: RunParts): Promise<Produced> {
  const filling = new Filling(job, stale)
  const startedAt = clock.monotonicMs()
  const value = await inTime(job, filling)
  const costMs = clock.monotonicMs() - startedAt
  const softMs = freshMs(job, { value, said: filling.ttlMs, chance })
  // That there is nothing is stored where the call says for how long.
  const body = value !== undefined ? written(job.key, value, codec) : job.negativeMs === undefined ? undefined : encodeValue(undefined, codec)
  const answer = body === undefined ? undefined : answerOf(body, copy)
  return { answer, body: filling.skipped ? undefined : body, softMs, tags: filling.tags, costMs }
}

async function inTime (job: Job, filling: Filling): Promise<unknown> {
  const { hardTimeoutMs } = job
  if (hardTimeoutMs === undefined) return job.factory(filling)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new FST_RSP_CACHE_FILL_TIMEOUT(shown(job.key), hardTimeoutMs)
      filling.abort(error)
      reject(error)
    }, hardTimeoutMs)
  })
  try {
    return await Promise.race([job.factory(filling), late])
  } finally {
    clearTimeout(timer)
  }
}

function freshMs (job: Job, { value, said, chance }: { value: unknown, said: number | undefined, chance: Chance }): number {
  const nothing = value === null || value === undefined
  const ms = said ?? (nothing ? job.negativeMs : undefined) ?? job.ttlMs
  return job.jitter === 0 ? ms : Math.max(1, Math.round(ms * (1 - job.jitter * chance())))
}

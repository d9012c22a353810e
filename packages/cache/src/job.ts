import type { FillContext } from './fill-context.ts'

/** A value to be found or loaded: a call's options, complete. */
export interface Job {
  readonly key: string
  readonly factory: (context: FillContext) => unknown
  /** Whether the factory may add tags: then the clock of bumps is read before it. */
  readonly wantsClock: boolean
  readonly ttlMs: number
  readonly jitter: number
  /** How long `null` and `undefined` are stored; undefined: `null` like any value, `undefined` not at all. */
  readonly negativeMs: number | undefined
  /** How long a stale value may be answered while it is refreshed; 0: never. */
  readonly staleMs: number
  /** How long it may be answered when the factory fails. */
  readonly errorMs: number
  readonly softTimeoutMs: number | undefined
  readonly hardTimeoutMs: number | undefined
  readonly l2TimeoutMs: number | undefined
  /** Whether it is refreshed before it ends, by chance. */
  readonly early: boolean
  /** Whether it is loaded here too while another process loads it. */
  readonly alone: boolean
  readonly tags: readonly string[]
  /** Told when the value comes from elsewhere than from this job's factory: from the store, or from a run of another. */
  onElsewhere: (() => void) | undefined
}

const wishes = ['ttlMs', 'negativeMs', 'staleMs', 'errorMs', 'softTimeoutMs', 'hardTimeoutMs', 'l2TimeoutMs', 'alone', 'wantsClock'] as const

/** Whether one outcome serves both callers of a key. */
export function sameWish (a: Job, b: Job): boolean {
  return a.tags.length === b.tags.length && a.tags.every((tag, i) => tag === b.tags[i]) && wishes.every(wish => a[wish] === b[wish])
}

import type { DropReport } from '@respite/redis'
import type { Targets } from './definition.ts'
import type { What } from './what.ts'

/** What a mutation has written, and what it has ended. */
export interface Mutation<T> extends DropReport, Targets {
  /** What the write gave. */
  readonly value: T
  /** Whether the other instances were told: where an entity's strategy is `on-event`. */
  readonly published: boolean
}

/** A write: the whole transaction, its commit included. What only it can know it names by `also`, to be dropped after it. */
export type Write<T> = (also: (what: What) => void) => T | Promise<T>

/** The two phases around a write. */
export interface Phases {
  /** Checks what is to be dropped, and remembers it. */
  add (what: What): void
  /** Before the write. */
  open (): Promise<DropReport>
  /** After it, whatever became of it. */
  close (): Promise<DropReport & Targets & { published: boolean }>
  /** Told of a close that failed after a write that failed: the caller is told of the write. */
  onHidden (error: unknown): void
}

/**
 * Drops before the write, so that a process that dies after its commit leaves nothing behind, and after it, so that
 * nothing stays that was loaded while it was under way. A write that fails drops too: its commit may have happened.
 */
export async function mutation<T> (phases: Phases, what: What, write: Write<T>): Promise<Mutation<T>> {
  phases.add(what)
  const before = await phases.open()
  let value: T
  try {
    value = await write(more => phases.add(more))
  } catch (error) {
    await phases.close().catch(hidden => phases.onHidden(hidden))
    throw error
  }
  const after = await phases.close()
  const settled = Promise.all([before.settled, after.settled]).then(() => undefined)
  settled.catch(() => undefined) // the caller may not wait for it
  // What the first phase has queued is what the second names too, and the queue holds the newest a target.
  return { ...after, value, dropped: before.dropped + after.dropped, settled }
}

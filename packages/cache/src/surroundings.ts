import type { Chance, Clock, Invalidations, Link } from '@respite/redis'
import type { DropQueue } from './drop-queue.ts'
import type { CacheEvents } from './events.ts'
import type { Shapes } from './keys.ts'
import type { Meters } from './metrics.ts'
import type { ResolvedOptions } from './options.ts'
import type { Waiting } from './waiting.ts'

/** What the namespaces of one app share. */
export interface Surroundings {
  readonly link: Link
  readonly invalidations: Invalidations
  readonly clock: Clock
  readonly chance: Chance
  readonly shapes: Shapes
  readonly options: Readonly<ResolvedOptions>
  readonly queue: DropQueue
  readonly waiting: Waiting
  readonly events: CacheEvents
  meters (label: string): Meters
  /** Told of what fails behind a caller's back. */
  readonly onHidden: (what: string, error: unknown) => void
}

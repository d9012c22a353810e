import type { FastifyBaseLogger } from 'fastify'
import type { Bus } from './bus/bus.ts'
import type { Chance } from './random.ts'
import type { Clock } from './clock.ts'
import type { Contracts } from './contracts.ts'
import type { Health } from './health.ts'
import type { Invalidations } from './invalidations/invalidations.ts'
import type { Keyspace } from './keyspace.ts'
import type { Link } from './link/link.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { RequestGate } from './request-gate.ts'

/** `fastify.respite`: what the plugins share. */
export interface Respite {
  readonly link: Link
  readonly bus: Bus
  readonly invalidations: Invalidations
  readonly keyspace: Keyspace
  readonly metrics: Metrics
  readonly health: Health
  readonly requests: RequestGate
  readonly clock: Clock
  readonly chance: Chance
  /** A child of the app's logger for a plugin. */
  logger (plugin: string): FastifyBaseLogger
  /** Offers a contract to the other plugins; once. */
  provide<Name extends keyof Contracts> (name: Name, contract: Contracts[Name]): void
  /** A contract; to be called at onReady or later. @throws FST_RSP_CONTRACT_MISSING */
  use<Name extends keyof Contracts> (name: Name): Contracts[Name]
  /** A contract, or undefined while nobody provides it. */
  find<Name extends keyof Contracts> (name: Name): Contracts[Name] | undefined
}

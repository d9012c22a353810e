import type { Clock } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'
import type { Copies } from './copies.ts'
import type { Flusher } from './flusher.ts'
import type { Keeper } from './keeper.ts'
import type { LocalSessions } from './local-sessions.ts'
import type { LookUp } from './look-up.ts'
import type { ResolvedOptions } from './resolved-options.ts'
import type { Rotator } from './rotator.ts'
import type { SessionEnds } from './session-ends.ts'
import type { SessionEvents } from './session-events.ts'
import type { Sessions } from './sessions.ts'
import type { SessionStore } from './stores/store.ts'
import type { Tokens } from './token.ts'
import type { Trust } from './trust.ts'

/** Everything of one app's sessions. */
export interface SessionServices {
  readonly options: ResolvedOptions
  readonly store: SessionStore
  readonly events: SessionEvents
  readonly ends: SessionEnds
  /** With `data` other than through. */
  readonly flusher: Flusher | undefined
  readonly lookUp: LookUp
  readonly keeper: Keeper
  readonly rotator: Rotator
  readonly copies: Copies
  readonly tokens: Tokens<ReturnType<Copies['hold']>>
  /** Undefined: there are no copies in Redis. */
  readonly trust: Trust | undefined
  /** Undefined: none are kept in this process. */
  readonly local: LocalSessions | undefined
  /** The first signs; at least one. */
  readonly secrets: readonly string[]
  readonly clock: Clock
  readonly log: FastifyBaseLogger
}

/** What stands behind a `fastify.sessions`. */
export const servicesOf = new WeakMap<Sessions, SessionServices>()

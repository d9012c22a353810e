import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** When a duty's answer is looked at: all are asked in one tick, then settled in this order. */
export type DutyPhase = 'ip-limits' | 'session' | 'user-limits'

/** What a route says of itself; computed once a route. */
export interface RouteInfo {
  /** The route's `config`, or an empty object where no route matched. */
  readonly config: Readonly<Record<string, unknown>>
  /** Methods as declared, joined by a comma; a HEAD made from a GET says what its GET says. */
  readonly method: string
  /** The route's pattern, such as `/users/:id`; `404` where none matched. */
  readonly pattern: string
  readonly notFound: boolean
}

/**
 * Something to do for every request before its handler, that may ask Redis. All `start`s run in one tick, so that what
 * they send leaves in one write; then the `settle`s run one after the other, in the order of the phases.
 */
export interface Duty<Plan, State> {
  readonly name: string
  readonly phase: DutyPhase
  /** The key of a route's config that this duty reads; a route that has it but was added before the duty is refused. */
  readonly configKey: string
  /** The context whose routes, with those of its children, are meant. @default all routes of the app */
  readonly within?: FastifyInstance
  /** Once a route: what is to be done there, or undefined for nothing. May throw: the route's requests fail with it. */
  plan (route: RouteInfo): Plan | undefined
  /** Sends what can be sent. Undefined: nothing to settle. Must not throw. */
  start (plan: Plan, request: FastifyRequest, reply: FastifyReply): State | undefined
  /**
   * Looks at the answer, waiting for it if need be; `done` is called once. `done(error)` refuses the request with the error.
   * A duty that has sent the reply itself says `done(undefined, true)`: the later phases are cancelled, and no handler runs.
   */
  settle (state: State, request: FastifyRequest, reply: FastifyReply, done: (error?: Error, answered?: true) => void): void
  /** An earlier phase has refused or answered the request: undo what `start` did (a charge), if anything. */
  cancel? (state: State, request: FastifyRequest): void
}

/** The one onRequest hook of the suite. */
export interface RequestGate {
  add<Plan, State> (duty: Duty<Plan, State>): void
  /**
   * For a plugin that reads a config key without a duty: its routes are refused if they were added before it.
   * @param plugin - its name, for the error
   */
  claim (configKey: string, plugin?: string, within?: FastifyInstance): void
}

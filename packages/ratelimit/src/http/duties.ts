import type { CounterSeries, Duty, RequestGate } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import { FST_RSP_RATELIMIT_DENIED } from '../errors.ts'
import { withCorsHeaders } from './cors-hooks.ts'
import type { Enforcer } from './enforcer.ts'
import { checkAll } from './limit-hook.ts'
import type { Pending } from './pending.ts'
import type { RouteLimit, RouteLimits, RouteSet } from './route-limits.ts'

type LimitDuty = Duty<readonly RouteLimit[], Pending>
type Identified = Pick<LimitDuty, 'name' | 'configKey' | 'within'>

/** What the duties work with. */
export interface DutyParts { readonly routes: RouteLimits, readonly enforcer: Enforcer, readonly denials: CounterSeries, readonly within: FastifyInstance }

/** Adds the limits that are known before anything was asked: they leave in one write with the session's question. */
export function addLimitDuties (requests: RequestGate, { routes, enforcer, denials, within }: DutyParts): void {
  const identified: Identified = { name: '@respite/ratelimit', configKey: 'rateLimit', within }
  if (enforcer.mayDeny) addDenial(requests, { identified, enforcer, denials })
  if (enforcer.mayExempt) {
    addLateDuty(requests, { identified, routes, enforcer })
    return
  }
  const shared: Identified & Pick<LimitDuty, 'settle' | 'cancel'> = {
    ...identified,
    settle: (pending, request, reply, done) => enforcer.settle(pending, request, reply, done),
    cancel: pending => enforcer.cancel(pending)
  }
  requests.add<readonly RouteLimit[], Pending>({
    ...shared,
    phase: 'ip-limits',
    plan: ({ config, ...route }) => some(routes.of(config.rateLimit, route).ip),
    start: (limits, request) => enforcer.isUncounted(request) ? undefined : enforcer.byIp(limits, request)
  })
  requests.add<readonly RouteLimit[], Pending>({
    ...shared,
    phase: 'user-limits',
    plan: ({ config, ...route }) => some(routes.of(config.rateLimit, route).user),
    start: (limits, request) => enforcer.isUncounted(request) ? undefined : enforcer.byUser(limits, request)
  })
}

function addDenial (requests: RequestGate, { identified, enforcer, denials }: { identified: Identified, enforcer: Enforcer, denials: CounterSeries }): void {
  requests.add<true, true>({
    ...identified,
    phase: 'ip-limits',
    plan: () => true,
    start: (_, request) => enforcer.isDenied(request) || undefined,
    settle: (_, request, reply, done) => {
      denials.inc()
      withCorsHeaders(request, reply, () => done(new FST_RSP_RATELIMIT_DENIED()))
    }
  })
}

// Whom the app exempts it may know by the session alone: so nothing is asked before that was read.
function addLateDuty (requests: RequestGate, { identified, routes, enforcer }: { identified: Identified, routes: RouteLimits, enforcer: Enforcer }): void {
  requests.add<RouteSet, RouteSet>({
    ...identified,
    phase: 'user-limits',
    plan: ({ config, ...route }) => {
      const { ip, user } = routes.of(config.rateLimit, route)
      return ip.length + user.length === 0 ? undefined : { ip, user, key: [] }
    },
    start: (limits, request) => enforcer.isUncounted(request) ? undefined : limits,
    settle: (limits, request, reply, done) => checkAll({ limits, enforcer }, request, reply, done)
  })
}

const some = (limits: readonly RouteLimit[]) => limits.length === 0 ? undefined : limits

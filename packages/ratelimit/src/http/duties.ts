import type { Duty, RequestGate } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import type { Enforcer } from './enforcer.ts'
import type { Pending } from './pending.ts'
import type { RouteLimit, RouteLimits } from './route-limits.ts'

type LimitDuty = Duty<readonly RouteLimit[], Pending>

/** Adds the limits that are known before anything was asked: they leave in one write with the session's question. */
export function addLimitDuties (requests: RequestGate, { routes, enforcer, within }: { routes: RouteLimits, enforcer: Enforcer, within: FastifyInstance }): void {
  const shared: Pick<LimitDuty, 'name' | 'configKey' | 'within' | 'settle' | 'cancel'> = {
    name: '@respite/ratelimit',
    configKey: 'rateLimit',
    within,
    settle: (pending, request, reply, done) => enforcer.settle(pending, request, reply, done),
    cancel: pending => enforcer.cancel(pending)
  }
  requests.add<readonly RouteLimit[], Pending>({
    ...shared,
    phase: 'ip-limits',
    plan: ({ config, ...route }) => some(routes.of(config.rateLimit, route).ip),
    start: (limits, request) => enforcer.isExempt(request) ? undefined : enforcer.byIp(limits, request)
  })
  requests.add<readonly RouteLimit[], Pending>({
    ...shared,
    phase: 'user-limits',
    plan: ({ config, ...route }) => some(routes.of(config.rateLimit, route).user),
    start: (limits, request) => enforcer.isExempt(request) ? undefined : enforcer.byUser(limits, request)
  })
}

const some = (limits: readonly RouteLimit[]) => limits.length === 0 ? undefined : limits

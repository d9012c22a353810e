import type { ClientIp, Identity, Respite } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { FST_RSP_RATELIMIT_ALLOW_INVALID, FST_RSP_RATELIMIT_DENY_INVALID, FST_RSP_RATELIMIT_TWICE } from './errors.ts'
import { Delays } from './delays/delays.ts'
import { Events } from './events.ts'
import { addressList } from './http/address-list.ts'
import { addLimitDuties } from './http/duties.ts'
import { Enforcer, type EnforcerParts, requestState } from './http/enforcer.ts'
import { Exemption } from './http/exemption.ts'
import { budgetHeaders } from './http/headers.ts'
import { limitRoutes, limitTheRest } from './http/key-limits.ts'
import { limitHook } from './http/limit-hook.ts'
import { RequestAsks } from './http/request-asks.ts'
import { type LimitUse, RouteLimits, type RouteRateLimit } from './http/route-limits.ts'
import { HeldSlots } from './held-slots.ts'
import { refuseScope, resolveLimit } from './limit.ts'
import { Load } from './load.ts'
import { LimitChanges } from './limit-changes.ts'
import { Limits } from './limits.ts'
import { isUseless } from './leases/lease-options.ts'
import { Limiter } from './limiter.ts'
import { LeaseMeters, Meters } from './meters.ts'
import { metrics } from './metrics.ts'
import { type RateLimitOptions, type ResolvedRateLimitOptions, resolveOptions } from './options.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'
import { SharedChanges } from './shared-changes.ts'
import { linkedStore } from './stores/linked.ts'
import { MemoryStore } from './stores/memory.ts'
import { TopRefused } from './top-refused.ts'

// Through interfaces that `/compat` adds to, since a property has one type in a program.
declare module 'fastify' {
  interface RespiteRateLimit extends RateLimit {}
  interface RespiteRouteRateLimits {
    respite: RouteRateLimit
  }
  interface FastifyInstance {
    rateLimit: RespiteRateLimit
  }
  interface FastifyContextConfig {
    /** Limits of this route, beside those of every route; false: none at all. */
    rateLimit?: RespiteRouteRateLimits[keyof RespiteRouteRateLimits]
  }
}

const registered = new WeakSet<Respite>()

async function rateLimitPlugin (app: FastifyInstance, given: RateLimitOptions): Promise<void> {
  const options = resolveOptions(given)
  const { respite } = app
  if (registered.has(respite)) throw new FST_RSP_RATELIMIT_TWICE()
  registered.add(respite)
  const limits = new Limits()
  const resolve = (limit: RateLimitOptions['limits']) => (limit ?? []).map(one => limits.add(resolveLimit(one, options.onStoreError)))
  const everywhere = resolve(options.limits)
  for (const limit of resolve(options.named)) refuseScope(limit)

  const meters = new Meters(respite.metrics)
  const top = new TopRefused()
  const events = new Events(options, respite.logger('ratelimit'))
  const limiter = limiterOf(app, options)
  const changes = new LimitChanges()
  const shared = sharedChanges(app, changes, limits)
  const routes = new RouteLimits({ limits, everywhere, onStoreError: options.onStoreError, meters })
  const delays = delaysOf(app, limiter, changes)
  const enforcer = enforcerOf(app, options, { limiter, delays, changes, top, events })
  const hook = (uses: LimitUse | readonly LimitUse[]) => limitHook(routes.alone(uses, 'rateLimit()'), enforcer)

  const blocks = respite.metrics.counter(metrics.blocks)
  app.decorate('rateLimit', createRateLimit({ limits, limiter, changes, shared, blocks, meters, top, events, hook }) as FastifyInstance['rateLimit'])
  app.decorateRequest(requestState as unknown as string, null)
  addLimitDuties(respite.requests, { routes, enforcer, denials: respite.metrics.counter(metrics.denied).of(), within: app })
  app.addHook('onRoute', limitRoutes(routes, enforcer))
  app.addHook('onReady', async () => warnOfUselessLeases(app, limits))
  const { key } = routes.of(undefined, { method: '', pattern: '404' })
  if (key.length > 0) app.addHook('preHandler', limitTheRest(key, enforcer))
}

function warnOfUselessLeases ({ respite: { link, bus, logger } }: FastifyInstance, limits: Limits): void {
  if (link.embedded) return
  const nodes = Math.max(1, bus.instances)
  for (const { rule, lease } of limits.all()) {
    if (lease !== undefined && isUseless(lease, rule, nodes)) logger('ratelimit').warn({ limit: rule.name, nodes }, 'a process has less than one permit of this limit in a lifetime of its leases: they save nothing')
  }
}

function limiterOf (app: FastifyInstance, { timeoutMs, maxKeys, load: loadOptions }: ResolvedRateLimitOptions): Limiter {
  const { link, clock, bus, metrics: port, health, logger } = app.respite as Respite
  const local = new MemoryStore({ clock, maxKeys })
  const leases = new LeaseMeters(port)
  const store = link.embedded ? local : linkedStore(app, { timeoutMs, leases })
  const slots = new HeldSlots({ store, local })
  const load = new Load(loadOptions, { clock, log: logger('ratelimit') })
  const limiter = new Limiter({ store, local, slots, load, instances: () => bus.instances, storeErrors: port.counter(metrics.storeErrors).of() })
  app.addHook('onClose', () => slots.close())
  const unlisten = link.on('state', state => { if (state === 'up') limiter.storeMayBeBack() })
  app.addHook('onClose', async () => unlisten())
  port.gauge({ ...metrics.keys, collect: gauge => gauge.of().set(local.size) })
  port.gauge({ ...metrics.load, collect: gauge => gauge.of().set(load.now()) })
  port.gauge({ ...metrics.slots, collect: gauge => gauge.of().set(slots.size) })
  health.add('ratelimit', () => ({ status: link.embedded || link.state === 'up' ? 'ok' : 'degraded', memoryKeys: local.size }))
  return limiter
}

function delaysOf (app: FastifyInstance, limiter: Limiter, changes: LimitChanges): Delays {
  const { clock, metrics: port } = app.respite as Respite
  const after = (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  }
  const delays = new Delays({ limiter, changes, clock, after, delayed: port.counter(metrics.delayed) })
  // Before the server waits for the requests that are under way.
  app.addHook('preClose', async () => delays.close())
  port.gauge({ ...metrics.waiting, collect: gauge => gauge.of().set(delays.size) })
  return delays
}

function sharedChanges (app: FastifyInstance, changes: LimitChanges, limits: Limits): SharedChanges {
  const { link, keyspace, bus, logger } = app.respite as Respite
  const shared = new SharedChanges({ changes, limits, link, keyspace, bus, log: logger('ratelimit') })
  app.addHook('onReady', () => shared.start())
  app.addHook('onClose', async () => shared.stop())
  return shared
}

type EnforcedBy = Pick<EnforcerParts, 'limiter' | 'delays' | 'top' | 'events'> & { changes: LimitChanges }

// Who provides what is known at onReady; no request comes before.
function enforcerOf (app: FastifyInstance, options: ResolvedRateLimitOptions, { changes, ...made }: EnforcedBy): Enforcer {
  const { allow, deny, exempt, headers, errorBuilder } = options
  let clientIp: ClientIp
  let identity: Identity | undefined
  app.addHook('onReady', async () => {
    clientIp = app.respite.use('clientIp')
    identity = app.respite.find('identity')
  })
  return new Enforcer({
    ...made,
    asks: new RequestAsks({ clientIp: () => clientIp, identity: () => identity, changes }),
    clientIp: () => clientIp,
    allowed: addressList(allow, FST_RSP_RATELIMIT_ALLOW_INVALID),
    denied: addressList(deny, FST_RSP_RATELIMIT_DENY_INVALID),
    exemption: exempt === undefined ? undefined : new Exemption(exempt),
    writeBudgets: budgetHeaders(headers),
    errorBuilder,
    log: app.respite.logger('ratelimit')
  })
}

/** Rate limits: `fastify.rateLimit` and the routes' `config.rateLimit`. */
export const rateLimit = fp(rateLimitPlugin, { fastify: '5.x', name: '@respite/ratelimit', decorators: { fastify: ['respite'] } })
export default rateLimit

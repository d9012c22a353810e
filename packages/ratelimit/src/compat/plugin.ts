import type { ContextConfigDefault, FastifyInstance, FastifyRequest as Request, FastifySchema, preHandlerAsyncHookHandler, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault, RouteGenericInterface } from 'fastify'
import fp from 'fastify-plugin'
import { FST_RSP_RATELIMIT_COMPAT_BESIDE } from '../errors.ts'
import { appStore } from './app-store.ts'
import { limitHook } from './limit-hook.ts'
import { CompatLimits } from './limits.ts'
import type { CreateRateLimitOptions, RateLimitOptions, RateLimitPluginOptions } from './options.ts'
import { limitRoutes } from './route-hook.ts'
import { pluginSettings } from './settings.ts'
import { type Allowed, type CallOptions, type Counted, standingOf } from './standing.ts'

/** `fastify.rateLimit` of this plugin: makes a hook for what has no `config`, such as the handler of unknown routes. */
export interface CompatRateLimit {
  <
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    ContextConfig = ContextConfigDefault,
    SchemaCompiler extends FastifySchema = FastifySchema
  >(options?: RateLimitOptions): preHandlerAsyncHookHandler<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, RouteGeneric, ContextConfig, SchemaCompiler>
}

declare module 'fastify' {
  interface RespiteRateLimit extends CompatRateLimit {}
  interface RespiteRouteRateLimits {
    // All of its properties are optional: alone it would take true for an object.
    compat: (RateLimitOptions & object) | false
  }
  interface FastifyInstance {
    rateLimit: RespiteRateLimit
    /** Makes a check by hand: of the plugin's limit, or one of its own. */
    createRateLimit (options?: CreateRateLimitOptions): (request: Request, options?: CallOptions) => Promise<Allowed | Counted>
  }
  interface FastifyContextConfig {
    rateLimit?: RespiteRouteRateLimits[keyof RespiteRouteRateLimits]
  }
}

async function compatPlugin (app: FastifyInstance, given: RateLimitPluginOptions = {}): Promise<void> {
  if (app.hasDecorator('rateLimit') && 'take' in app.rateLimit) throw new FST_RSP_RATELIMIT_COMPAT_BESIDE()
  const settings = pluginSettings(given)
  const Store = settings.store ?? await appStore(app, settings, given.nameSpace != null)
  const limits = new CompatLimits(given, { settings, Store })
  app.addHook('onReady', async () => limits.ready())

  // One each: a route counts by each registration that it is in.
  const ran = Symbol('respite.ratelimit.compat')
  app.decorateRequest(ran as unknown as string, false)
  // A registration in a child context leaves what the parent's has put there.
  if (!app.hasDecorator('createRateLimit')) {
    app.decorate('createRateLimit', options => {
      const limit = limits.ofOptions(options)
      return (request, callOptions) => standingOf(limit, request, callOptions)
    })
  }
  if (!app.hasDecorator('rateLimit')) {
    const rateLimit = (options?: RateLimitOptions) => limitHook(limits.ofOptions(options), ran)
    app.decorate('rateLimit', rateLimit as FastifyInstance['rateLimit'])
  }
  app.addHook('onRoute', limitRoutes(limits, { ran, isGlobal: settings.global }))
}

/** A drop-in for @fastify/rate-limit: `fastify.rateLimit()`, `fastify.createRateLimit()` and the routes' `config.rateLimit`. */
export const fastifyRateLimit = fp(compatPlugin, { fastify: '5.x', name: '@respite/ratelimit/compat' })
export default fastifyRateLimit

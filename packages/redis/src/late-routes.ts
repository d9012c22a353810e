import type { FastifyInstance, RouteOptions } from 'fastify'
import { FST_RSP_ROUTE_BEFORE_PLUGIN } from './errors.ts'
import type { RouteConfig } from './route-of.ts'

// Fastify copies a route's config, symbols included; so this is what tells at a request what onRoute saw.
const seen = Symbol('respite.claims')

/** What a plugin has claimed: it reads this key of the configs of routes, of all or of one context's. */
interface Claim { configKey: string, plugin: string, within: object | undefined }

/**
 * Finds routes that a plugin could not see. Fastify calls onRoute hooks only for routes that are added after them, but runs
 * onRequest hooks for earlier routes too, in earlier child contexts also (`addHook` hands a hook on to all children there
 * are, and each route gathers its hooks when the app is ready). So a route that wants a limit but came before the
 * limiter would be served without it; it is refused instead, when it is first asked for.
 */
export class LateRoutes {
  readonly #claims: Claim[] = []

  claim (configKey: string, plugin: string, within?: object): void {
    this.#claims.push({ configKey, plugin, within })
  }

  /** To be called by an onRoute hook. */
  saw (route: RouteOptions): void {
    if (route.config !== undefined) route.config = { ...route.config, [seen]: this.#claims.length } as typeof route.config
  }

  /** The refusal of a route that has a claimed key but was added before the claim. */
  refusal (config: RouteConfig, server: FastifyInstance): Error | undefined {
    const claimsSeen = (config[seen] as number | undefined) ?? 0
    for (const { configKey, plugin, within } of this.#claims.slice(claimsSeen)) {
      if (config[configKey] === undefined || !covers(within, server)) continue
      return new FST_RSP_ROUTE_BEFORE_PLUGIN(String(config.method ?? '*'), config.url ?? '*', configKey, plugin)
    }
    return undefined
  }
}

/** Whether a context's routes are meant by a duty of the context `within`: its own, and those of its children. */
export function covers (within: object | undefined, server: FastifyInstance): boolean {
  // A child context of Fastify has its parent as its prototype.
  return within === undefined || within === server || Object.prototype.isPrototypeOf.call(within, server)
}

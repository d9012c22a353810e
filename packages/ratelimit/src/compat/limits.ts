import { LRUCache } from 'lru-cache'
import type { FastifyRateLimitStore, FastifyRateLimitStoreCtor } from './hit-store.ts'
import type { RateLimitOptions, RateLimitPluginOptions } from './options.ts'
import { RespiteStore, type RouteInfo } from './respite-store.ts'
import { routeSettings, type Settings } from './settings.ts'
import type { CompatLimit } from './standing.ts'

const mostMadeLate = 1_000

/** Makes the limits of a registration. */
export class CompatLimits {
  /** The one of routes that say nothing themselves. */
  readonly everywhere: CompatLimit
  readonly #given: RateLimitPluginOptions
  /** By name: how many have it. */
  readonly #named = new Map<string, number>()
  readonly #late = new LRUCache<string, FastifyRateLimitStore>({ max: mostMadeLate })
  #isReady = false

  /** @param Store - of limits that name none themselves */
  constructor (given: RateLimitPluginOptions, { settings, Store }: { settings: Settings, Store: FastifyRateLimitStoreCtor }) {
    this.#given = given
    // A copy: a store may change what it is given.
    this.everywhere = { settings, store: new Store({ ...settings }) }
  }

  /** The app has its routes: whatever is made from now on is made in handlers. */
  ready (): void { this.#isReady = true }

  /** The limit of a route. @throws FST_RSP_OPTION_INVALID */
  ofRoute (own: RateLimitOptions, routeInfo: RouteInfo): CompatLimit {
    const settings = routeSettings(this.#given, own)
    return { settings, store: this.#storeOf(own, settings, routeInfo) }
  }

  /** The limit of `rateLimit()` and `createRateLimit()`. @throws FST_RSP_OPTION_INVALID */
  ofOptions (own: RateLimitOptions | undefined): CompatLimit {
    if (typeof own !== 'object' || own === null) return this.everywhere
    const settings = routeSettings(this.#given, own)
    const { store } = this.everywhere
    const isOurs = store instanceof RespiteStore && own.store === undefined && settings.groupId === undefined
    return { settings, store: isOurs ? this.#unnamed(store, settings) : this.#storeOf(own, settings, {}) }
  }

  #storeOf (own: RateLimitOptions, settings: Settings, routeInfo: RouteInfo): FastifyRateLimitStore {
    const { store: Store } = own
    return Store ? new Store({ ...settings, routeInfo }) : this.everywhere.store.child({ ...settings, routeInfo })
  }

  // Limits without a route are told apart by what they admit, and those that are alike by their order, which is the same in
  // all processes. One that is made in a handler, at each request, is the same each time: else it would never refuse.
  #unnamed (store: RespiteStore, settings: Settings): FastifyRateLimitStore {
    const name = `#${nameOf(settings.max)}/${nameOf(settings.timeWindow)}`
    if (!this.#isReady) {
      const count = (this.#named.get(name) ?? 0) + 1
      this.#named.set(name, count)
      return store.part(`${name}#${count}`, settings)
    }
    const late = `${name} ${settings.continueExceeding} ${settings.exponentialBackoff}`
    const known = this.#late.get(late) ?? store.part(late, settings)
    this.#late.set(late, known)
    return known
  }
}

const nameOf = (value: unknown) => typeof value === 'number' ? String(value) : 'function'

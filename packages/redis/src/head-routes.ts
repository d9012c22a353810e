import type { FastifyInstance, RouteOptions } from 'fastify'

/** The route a HEAD was made from. */
export interface GetRoute { method: string, url: string }

/**
 * Remembers which HEAD routes Fastify has made from a GET: it adds them at once after their GET, and says so nowhere.
 */
export class HeadRoutes {
  readonly #made = new WeakMap<object, Map<string, GetRoute>>()
  readonly #exposed: boolean
  #last: { server: object, url: string, method: string } | undefined

  constructor (exposeHeadRoutes: boolean) {
    this.#exposed = exposeHeadRoutes
  }

  /** To be called by an onRoute hook. */
  saw (server: FastifyInstance, route: RouteOptions): void {
    const last = this.#last
    this.#last = undefined
    const methods = [route.method].flat()
    if (methods.includes('GET')) {
      if (route.exposeHeadRoute ?? this.#exposed) this.#last = { server, url: route.url, method: methods.join(',') }
      return
    }
    if (route.method !== 'HEAD' || last?.server !== server) return
    // A prefixed '/' is two routes, '/prefix' and '/prefix/', of which only the first is announced.
    this.#last = last
    if (route.url !== last.url && route.url !== last.url + '/') return
    const made = this.#made.get(server) ?? new Map<string, GetRoute>()
    this.#made.set(server, made.set(route.url, { method: last.method, url: last.url }))
  }

  /** The GET of a HEAD, or undefined where the HEAD was declared by itself. */
  getOf (server: object, url: string): GetRoute | undefined {
    return this.#made.get(server)?.get(url)
  }
}

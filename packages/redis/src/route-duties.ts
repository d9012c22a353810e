import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HeadRoutes } from './head-routes.ts'
import { covers, LateRoutes } from './late-routes.ts'
import type { Duty, DutyPhase, RequestGate, RouteInfo } from './request-gate.ts'
import { type RouteConfig, routeConfigOf } from './route-of.ts'

type AnyDuty = Duty<unknown, unknown>
type Done = (error?: Error) => void

/** What is to be done for the requests of one route: in the order of the phases, or nothing but an error. */
interface RoutePlan {
  readonly duties: readonly AnyDuty[]
  readonly plans: readonly unknown[]
  readonly refusal: Error | undefined
}

const order: readonly DutyPhase[] = ['ip-limits', 'session', 'user-limits']
const nothing: RoutePlan = Object.freeze({ duties: [], plans: [], refusal: undefined })

/** The gate of an app: adds the suite's one onRequest hook. To be called before any duty is added, in the context whose routes are meant. */
export function createRequestGate (fastify: FastifyInstance): RequestGate {
  const late = new LateRoutes()
  const heads = new HeadRoutes((fastify.initialConfig as { exposeHeadRoutes?: boolean }).exposeHeadRoutes !== false)
  let duties: AnyDuty[] = []
  let routes = new WeakMap<RouteConfig, RoutePlan>()

  function planOf (request: FastifyRequest, config: RouteConfig): RoutePlan {
    const server = request.server
    const refusal = late.refusal(config, server)
    const plan = refusal === undefined
      ? makePlan(duties.filter(duty => covers(duty.within, server)), routeInfo(heads, request, config))
      : { ...nothing, refusal }
    routes.set(config, plan)
    return plan
  }

  fastify.addHook('onRoute', function (route) {
    late.saw(route)
    heads.saw(this, route)
  })
  fastify.addHook('onRequest', function respite (request: FastifyRequest, reply: FastifyReply, done: Done) {
    const config = routeConfigOf(request)
    const plan = routes.get(config) ?? planOf(request, config)
    if (plan === nothing) done()
    else if (plan.refusal !== undefined) done(plan.refusal)
    else new Pass(plan, request, reply).run(done)
  })

  return {
    add (duty) {
      late.claim(duty.configKey, duty.name, duty.within)
      // A stable sort: within a phase in the order in which they were added.
      duties = [...duties, duty as AnyDuty].sort((a, b) => order.indexOf(a.phase) - order.indexOf(b.phase))
      routes = new WeakMap()
    },
    claim (configKey, plugin = `the plugin of config.${configKey}`, within) {
      late.claim(configKey, plugin, within)
      routes = new WeakMap()
    }
  }
}

function makePlan (duties: readonly AnyDuty[], info: RouteInfo): RoutePlan {
  try {
    const planned = duties.map(duty => ({ duty, plan: duty.plan(info) })).filter(({ plan }) => plan !== undefined)
    return planned.length === 0 ? nothing : { duties: planned.map(p => p.duty), plans: planned.map(p => p.plan), refusal: undefined }
  } catch (error) {
    // A route whose config makes no sense is not served without its limits: all its requests fail with this.
    return { ...nothing, refusal: error as Error }
  }
}

function routeInfo (heads: HeadRoutes, request: FastifyRequest, config: RouteConfig): RouteInfo {
  if (config.url === undefined) return { config, method: request.method, pattern: '404', notFound: true }
  const declared = { method: [config.method ?? request.method].flat().join(','), url: config.url }
  const { method, url } = declared.method === 'HEAD' ? heads.getOf(request.server, config.url) ?? declared : declared
  return { config, method, pattern: url, notFound: false }
}

/** One request's way through its duties: one object, one array and one closure are all that is made. */
class Pass {
  readonly #duties: readonly AnyDuty[]
  readonly #plans: readonly unknown[]
  readonly #states: unknown[]
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  /** The next one to be settled. */
  #at = 0
  /** Whether the one before `#at` has yet to call back. */
  #waiting = false
  #done: Done | undefined
  readonly #next = (error?: Error, answered?: true): void => {
    if (!this.#waiting) return
    this.#waiting = false
    if (error !== undefined && error !== null) this.#refuse(error)
    else if (answered === true || this.#reply.sent) this.#cancelRest()
    else this.#settleNext()
  }

  constructor (plan: RoutePlan, request: FastifyRequest, reply: FastifyReply) {
    this.#duties = plan.duties
    this.#plans = plan.plans
    this.#states = new Array<unknown>(plan.duties.length)
    this.#request = request
    this.#reply = reply
  }

  run (done: Done): void {
    this.#done = done
    for (let i = 0; i < this.#duties.length; i++) {
      try {
        this.#states[i] = this.#duties[i]!.start(this.#plans[i], this.#request, this.#reply)
      } catch (error) {
        this.#refuse(error as Error)
        return
      }
    }
    this.#settleNext()
  }

  #settleNext (): void {
    while (this.#at < this.#duties.length && this.#states[this.#at] === undefined) this.#at++
    if (this.#at === this.#duties.length) {
      this.#done!()
      return
    }
    const now = this.#at++
    this.#waiting = true
    try {
      this.#duties[now]!.settle(this.#states[now], this.#request, this.#reply, this.#next)
    } catch (error) {
      // Once it has called back, what is thrown comes from what ran after, and is not its own.
      if (!this.#waiting || this.#at !== now + 1) throw error
      this.#next(error as Error)
      return
    }
    // It has answered by itself and said nothing.
    if (this.#waiting && this.#reply.sent) this.#next()
  }

  #refuse (error: Error): void {
    this.#cancelRest()
    this.#done!(error)
  }

  #cancelRest (): void {
    for (let i = this.#at; i < this.#duties.length; i++) {
      const state = this.#states[i]
      this.#states[i] = undefined
      if (state !== undefined) this.#duties[i]!.cancel?.(state, this.#request)
    }
  }
}

import { type ClientIp, type Identity, isPromiseLike } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { checkedCost } from '../cost.ts'
import type { LimitChanges } from '../limit-changes.ts'
import { keyText, type SubjectKind, subjectOf } from '../subject.ts'
import { tierRule } from '../tier.ts'
import type { RouteAsk } from './pending.ts'
import type { RouteLimit, RouteSet } from './route-limits.ts'

/** What tells whom a request is counted under, and by which rule. */
export interface RequestAsksParts {
  readonly clientIp: () => ClientIp
  readonly identity: () => Identity | undefined
  readonly changes: LimitChanges
}

/** Makes the asks of requests: for each limit that counts the request whom it counts, by which rule, at what cost. */
export class RequestAsks {
  readonly #parts: RequestAsksParts

  constructor (parts: RequestAsksParts) {
    this.#parts = parts
  }

  /** Under the client's address. */
  byIp (limits: readonly RouteLimit[], request: FastifyRequest): RouteAsk[] {
    const some = counting(limits, request)
    return some.length === 0 ? [] : this.#asks(some, 'ip', this.#parts.clientIp().subject(request))
  }

  /** Under the user of the session; a visitor's address. */
  byUser (limits: readonly RouteLimit[], request: FastifyRequest): RouteAsk[] {
    const user = limits.length === 0 ? undefined : this.#parts.identity()?.subject(request)
    return user === undefined ? this.byIp(limits, request) : this.#asks(counting(limits, request), 'user', user)
  }

  /**
   * Of limits of all kinds. A promise only where a function of the app gave one: it rejects with what such a function throws, and
   * with the error for what it returns.
   */
  byAll ({ ip, user, key }: RouteSet, request: FastifyRequest): RouteAsk[] | Promise<RouteAsk[]> {
    const keyed = counting(key, request).map(limit => this.#byFunctions(limit, request))
    const joined = (keyed: readonly (RouteAsk | undefined)[]) => [...this.byIp(ip, request), ...this.byUser(user, request), ...keyed.filter(ask => ask !== undefined)]
    return keyed.some(isPromiseLike) ? Promise.all(keyed).then(joined) : joined(keyed as readonly (RouteAsk | undefined)[])
  }

  /** Of a limit with functions of the request; nothing when its cost is 0. Never throws, so that of several promises none is left alone. */
  #byFunctions (one: RouteLimit, request: FastifyRequest): RouteAsk | undefined | Promise<RouteAsk | undefined> {
    const { limit } = one
    try {
      const key: unknown = limit.key?.(request)
      const isLater = isPromiseLike(key) || limit.limitFor !== undefined || limit.costOf !== undefined
      return isLater ? this.#later(one, request, key) : this.#byKey(one, request, key)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #later (one: RouteLimit, request: FastifyRequest, key: unknown): Promise<RouteAsk | undefined> {
    const { limit } = one
    const ask = this.#byKey(one, request, await key)
    const rule = limit.limitFor === undefined ? ask.rule : tierRule(ask.rule, await limit.limitFor(request))
    const cost = limit.costOf === undefined ? limit.cost : checkedCost(limit.rule.name, await limit.costOf(request), 0)
    return cost === 0 ? undefined : { ...ask, rule, cost }
  }

  #byKey (one: RouteLimit, request: FastifyRequest, given: unknown): RouteAsk {
    const { limit } = one
    const key = limit.key === undefined ? undefined : keyText(limit.rule.name, given)
    const [ask] = key !== undefined ? this.#asks([one], 'key', key) : limit.by === 'user' ? this.byUser([one], request) : this.byIp([one], request)
    return ask!
  }

  #asks (limits: readonly RouteLimit[], kind: SubjectKind, who: string): RouteAsk[] {
    const subject = subjectOf(kind, who)
    return limits.map(({ limit, meter }) => ({ rule: this.#parts.changes.of(limit.rule), subject, cost: limit.cost, ban: limit.ban, lease: limit.lease, limit, meter, who }))
  }
}

/** Those that count this request of the route. */
function counting (limits: readonly RouteLimit[], request: FastifyRequest): readonly RouteLimit[] {
  return limits.every(({ counts }) => counts === undefined) ? limits : limits.filter(({ counts }) => counts === undefined || counts(request))
}

import type { ClientIp, Identity } from '@respite/redis'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { FST_RSP_RATELIMIT_STORE_DOWN } from '../errors.ts'
import { chargesOf, type LimitCharge, type Limiter, type Ruling } from '../limiter.ts'
import type { LimitChanges } from '../limit-changes.ts'
import { keyText, type SubjectKind, type Subjects } from '../subject.ts'
import type { TopRefused } from '../top-refused.ts'
import { budgetsOf, type WriteBudgets } from './headers.ts'
import { Pending, type RouteAsk } from './pending.ts'
import { releaseAtEnd } from './release-at-end.ts'
import { type ErrorBuilder, refusalOf, sendRefusal } from './refusal.ts'
import type { RouteLimit, RouteSet } from './route-limits.ts'

const settled = Symbol('respite.ratelimit')
type LimitedRequest = FastifyRequest & { [settled]?: Pending | null }

/** The property of a request that holds what its limits have done; to be decorated. */
export const requestState = settled

/** What the enforcer works with. */
export interface EnforcerParts {
  readonly limiter: Limiter
  readonly changes: LimitChanges
  readonly subjects: Subjects
  readonly clientIp: () => ClientIp
  readonly identity: () => Identity | undefined
  readonly allowed: (request: FastifyRequest, clientIp: ClientIp) => boolean
  readonly writeBudgets: WriteBudgets
  readonly errorBuilder: ErrorBuilder | undefined
  readonly top: TopRefused
  readonly log: FastifyBaseLogger
}

/** `answered`: the reply has been sent, and nothing more is to be done. */
export type Enforced = (error?: Error, answered?: true) => void

/** Asks the limits of a request, and turns what they say into headers, a 429 or a 503. */
export class Enforcer {
  readonly #parts: EnforcerParts

  constructor (parts: EnforcerParts) {
    this.#parts = parts
  }

  /** Whether no limit counts this request. */
  isExempt (request: FastifyRequest): boolean {
    // A browser's preflight cannot wait and try again.
    return request.method === 'OPTIONS' || this.#parts.allowed(request, this.#parts.clientIp())
  }

  byIp (limits: readonly RouteLimit[], request: FastifyRequest): Pending {
    return new Pending(this.#ipAsks(limits, request), this.#parts.limiter)
  }

  byUser (limits: readonly RouteLimit[], request: FastifyRequest): Pending {
    return new Pending(this.#userAsks(limits, request), this.#parts.limiter)
  }

  /**
   * Limits of all kinds, decided together.
   * @throws what a key function throws, and FST_RSP_RATELIMIT_KEY_INVALID
   */
  async byAll ({ ip, user, key }: RouteSet, request: FastifyRequest): Promise<Pending> {
    const keyed = await Promise.all(key.map(limit => this.#keyAsk(limit, request)))
    return new Pending([...this.#ipAsks(ip, request), ...this.#userAsks(user, request), ...keyed], this.#parts.limiter)
  }

  /** Whether the request was charged for one of these, by whatever cost its route gives that limit. */
  hasCounted (limits: readonly RouteLimit[], request: LimitedRequest): boolean {
    for (let pending = request[settled]; pending; pending = pending.previous) {
      if (pending.asks.some(ask => limits.some(({ limit }) => limit.rule.name === ask.rule.name))) return true
    }
    return false
  }

  settle (pending: Pending, request: LimitedRequest, reply: FastifyReply, done: Enforced): void {
    pending.whenRuled(ruling => {
      this.#count(pending, ruling)
      pending.previous = request[settled] ?? undefined
      if (ruling.decision === 'allowed') {
        request[settled] = pending
        releaseAtEnd(request, reply, { asks: pending.asks, slots: this.#parts.limiter.slots, log: this.#parts.log })
        this.#parts.writeBudgets(reply, pending)
        done()
        return
      }
      this.#giveBack(pending.previous)
      request[settled] = null
      pending.previous = undefined
      this.#parts.writeBudgets(reply, pending)
      if (ruling.decision === 'unavailable') {
        reply.header('retry-after', 1)
        done(new FST_RSP_RATELIMIT_STORE_DOWN())
        return
      }
      const error = sendRefusal(request, reply, { refusal: refusalOf(budgetsOf(pending)), build: this.#parts.errorBuilder })
      if (error === undefined) done(undefined, true)
      else done(error)
    })
  }

  /** Takes back what a question has charged, once it is known. */
  cancel (pending: Pending): void {
    pending.whenRuled(() => this.#giveBack(pending))
  }

  #ipAsks (limits: readonly RouteLimit[], request: FastifyRequest): RouteAsk[] {
    return limits.length === 0 ? [] : this.#asks(limits, 'ip', this.#parts.clientIp().subject(request))
  }

  #userAsks (limits: readonly RouteLimit[], request: FastifyRequest): RouteAsk[] {
    const user = limits.length === 0 ? undefined : this.#parts.identity()?.subject(request)
    return user === undefined ? this.#ipAsks(limits, request) : this.#asks(limits, 'user', user)
  }

  async #keyAsk (one: RouteLimit, request: FastifyRequest): Promise<RouteAsk> {
    const key = keyText(one.limit.rule.name, await one.limit.key!(request))
    return key === undefined ? this.#ipAsks([one], request)[0]! : this.#asks([one], 'key', key)[0]!
  }

  #asks (limits: readonly RouteLimit[], kind: SubjectKind, who: string): RouteAsk[] {
    const subject = this.#parts.subjects.of(kind, who)
    return limits.map(({ limit, meter }) => ({ rule: this.#parts.changes.of(limit.rule), subject, cost: limit.cost, limit, meter, who }))
  }

  #count ({ asks }: Pending, { decision, answers }: Ruling): void {
    for (let i = 0; i < asks.length; i++) {
      const { limit, meter, who, subject } = asks[i]!
      const { by, waitMs } = answers[i]!
      if (decision === 'unavailable') meter('unavailable')
      else if (by === 'none') meter('unchecked')
      else if (waitMs === 0) meter('allowed')
      else {
        meter('refused')
        this.#parts.top.note(limit.rule.name, who, subject)
      }
    }
  }

  // A later limit has refused: the request has used none of them.
  #giveBack (last: Pending | undefined): void {
    const charges: LimitCharge[] = []
    for (let pending = last; pending !== undefined; pending = pending.previous) charges.push(...chargesOf(pending.asks, pending.ruling!))
    if (charges.length === 0) return
    this.#parts.limiter.refund(charges).catch((error: unknown) => {
      this.#parts.log.debug({ err: error }, 'a refused request was charged all the same: the store went away meanwhile')
    })
  }
}

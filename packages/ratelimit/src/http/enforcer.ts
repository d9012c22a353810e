import type { ClientIp } from '@respite/redis'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { type Events, exceededOf } from '../events.ts'
import { FST_RSP_RATELIMIT_STORE_DOWN } from '../errors.ts'
import { chargesOf, type Answered, type LimitCharge, type Limiter, type Ruling } from '../limiter.ts'
import type { Delays } from '../delays/delays.ts'
import type { TopRefused } from '../top-refused.ts'
import type { AddressTest } from './address-list.ts'
import { withCorsHeaders } from './cors-hooks.ts'
import type { Exemption } from './exemption.ts'
import { budgetsOf, type WriteBudgets } from './headers.ts'
import { type OpenCharge, settleOutcomes } from './outcomes.ts'
import { Pending, type Question, type RouteAsk } from './pending.ts'
import { leaveAtEnd, releaseAtEnd } from './release-at-end.ts'
import { type ErrorBuilder, refusalOf, sendRefusal } from './refusal.ts'
import type { RequestAsks } from './request-asks.ts'
import type { RouteLimit, RouteSet } from './route-limits.ts'

/** The property of a request that holds the question that was settled last; null: none was, or one was refused and all was given back. To be decorated. */
export const requestState = Symbol('respite.ratelimit')
type LimitedRequest = FastifyRequest & { [requestState]?: Pending | null }

/** What the enforcer works with. */
export interface EnforcerParts {
  readonly limiter: Limiter
  readonly delays: Delays
  readonly asks: RequestAsks
  readonly clientIp: () => ClientIp
  readonly allowed: AddressTest | undefined
  readonly denied: AddressTest | undefined
  readonly exemption: Exemption | undefined
  readonly writeBudgets: WriteBudgets
  readonly errorBuilder: ErrorBuilder | undefined
  readonly top: TopRefused
  readonly events: Events
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

  /** Whether the app says of requests that no limit counts them. */
  get mayExempt (): boolean { return this.#parts.exemption !== undefined }

  /** Whether addresses are denied. */
  get mayDeny (): boolean { return this.#parts.denied !== undefined }

  /** Whether the request's address is denied. */
  isDenied (request: FastifyRequest): boolean {
    return this.#parts.denied !== undefined && this.#parts.denied(request, this.#parts.clientIp())
  }

  /** Whether no limit counts this request, as far as its method and address tell. */
  isUncounted (request: FastifyRequest): boolean {
    // A browser's preflight cannot wait and try again.
    if (request.method === 'OPTIONS') return true
    return (this.#parts.allowed !== undefined && this.#parts.allowed(request, this.#parts.clientIp())) || this.isDenied(request)
  }

  /** Limits by address; nothing when none counts the request. */
  byIp (limits: readonly RouteLimit[], request: FastifyRequest): Pending | undefined {
    return this.#ask(this.#parts.asks.byIp(limits, request))
  }

  /** Limits by user; nothing when none counts the request. */
  byUser (limits: readonly RouteLimit[], request: FastifyRequest): Pending | undefined {
    return this.#ask(this.#parts.asks.byUser(limits, request))
  }

  /**
   * Limits of all kinds, decided together; nothing when none counts the request. A promise only where a function of the app gave one.
   * It rejects with what such a function throws, and with the error for what it returns.
   */
  byAll (set: RouteSet, request: FastifyRequest): Pending | undefined | Promise<Pending | undefined> {
    const { exemption } = this.#parts
    if (exemption === undefined) return this.#byAllCounting(set, request)
    return exemption.of(request).then(exempt => exempt ? undefined : this.#byAllCounting(set, request))
  }

  /** Whether the request was charged for one of these, by whatever cost its route gives that limit. */
  hasCounted (limits: readonly RouteLimit[], request: LimitedRequest): boolean {
    const isOne = (ask: RouteAsk) => limits.some(({ limit }) => limit.rule.name === ask.rule.name)
    for (let pending = request[requestState]; pending; pending = pending.previous) {
      if (pending.asks.some(isOne) || pending.shadows.some(({ asks }) => asks.some(isOne))) return true
    }
    return false
  }

  /** Goes on with the request once its question is decided, or answers it. */
  settle (pending: Pending, request: LimitedRequest, reply: FastifyReply, done: Enforced): void {
    for (const shadow of pending.shadows) shadow.whenRuled(ruling => this.#settleShadow(shadow, ruling, request))
    const stay = pending.ruling === undefined ? leaveAtEnd(request, reply, pending) : undefined
    pending.whenRuled(ruling => {
      stay?.()
      if (ruling.decision === 'gone') {
        this.#drop(pending, request)
        done(undefined, true)
        return
      }
      this.#count(pending, ruling)
      this.#parts.events.bans(pending.asks, ruling, request)
      pending.previous = request[requestState] ?? undefined
      if (ruling.decision !== 'allowed') {
        this.#refuse(pending, ruling, { request, reply, done })
        return
      }
      request[requestState] = pending
      releaseAtEnd(request, reply, { asks: pending.asks, slots: this.#parts.limiter.slots, log: this.#parts.log })
      if (pending.asks.length > 0) this.#parts.writeBudgets(reply, pending)
      if (hasOutcomes(pending)) reply.raw.once('finish', () => this.#settleOutcomes(pending, request, reply))
      done()
    })
  }

  /** Takes back what a question has charged, once it is known. */
  cancel (pending: Pending): void {
    pending.leave()
    pending.whenRuled(() => this.#giveBack(pending))
  }

  #ask (asks: readonly RouteAsk[]): Pending | undefined {
    return asks.length === 0 ? undefined : new Pending(asks, this.#parts)
  }

  #byAllCounting (set: RouteSet, request: FastifyRequest): Pending | undefined | Promise<Pending | undefined> {
    const asks = this.#parts.asks.byAll(set, request)
    return asks instanceof Promise ? asks.then(all => this.#ask(all)) : this.#ask(asks)
  }

  #count ({ asks }: Pending, { decision, answers }: Ruling): void {
    for (let i = 0; i < asks.length; i++) {
      const { limit, meter, who, subject } = asks[i]!
      const { by, waitMs, shed } = answers[i]!
      if (decision === 'unavailable') meter('unavailable')
      else if (by === 'none') meter('unchecked')
      else if (waitMs === 0) meter('allowed')
      else {
        meter('refused', shed)
        this.#parts.top.note(limit.rule.name, who, subject)
      }
    }
  }

  #settleShadow ({ asks }: Question, ruling: Answered, request: FastifyRequest): void {
    if (ruling.decision === 'gone') return
    const { meter } = asks[0]!
    this.#parts.events.bans(asks, ruling, request)
    if (ruling.decision === 'refused') {
      meter('would_refuse')
      if (this.#parts.events.ofRefusals) this.#parts.events.exceeded({ limits: exceededOf(asks, ruling), shadow: true }, request)
    } else meter(ruling.decision === 'unavailable' || ruling.answers[0]!.by === 'none' ? 'unchecked' : 'allowed')
  }

  /** Its client is gone: nobody is answered. */
  #drop (pending: Pending, request: LimitedRequest): void {
    pending.previous = request[requestState] ?? undefined
    this.#giveBack(pending)
    request[requestState] = null
  }

  #refuse (pending: Pending, ruling: Ruling, { request, reply, done }: { request: LimitedRequest, reply: FastifyReply, done: Enforced }): void {
    this.#giveBack(pending)
    request[requestState] = null
    pending.previous = undefined
    this.#parts.writeBudgets(reply, pending)
    if (ruling.decision === 'unavailable') {
      reply.header('retry-after', 1)
      withCorsHeaders(request, reply, () => done(new FST_RSP_RATELIMIT_STORE_DOWN()))
      return
    }
    if (this.#parts.events.ofRefusals) this.#parts.events.exceeded({ limits: exceededOf(pending.asks, ruling), shadow: false }, request)
    withCorsHeaders(request, reply, () => {
      const error = sendRefusal(request, reply, { refusal: refusalOf(budgetsOf(pending)), build: this.#parts.errorBuilder })
      if (error === undefined) done(undefined, true)
      else done(error)
    })
  }

  #settleOutcomes (pending: Pending, request: LimitedRequest, reply: FastifyReply): void {
    // A later limit has refused: all was given back.
    if (request[requestState] === null) return
    const open = [pending, ...pending.shadows].flatMap(question => openCharges(question))
    settleOutcomes(open, request, reply, { giveBack: charges => this.#refund(charges), log: this.#parts.log })
  }

  // A later limit has refused: the request has used none of them.
  #giveBack (last: Pending | undefined): void {
    const charges: LimitCharge[] = []
    for (let pending = last; pending !== undefined; pending = pending.previous) {
      charges.push(...chargesOf(pending.asks, pending.ruling!))
      for (const shadow of pending.shadows) shadow.whenRuled(ruling => this.#refund(chargesOf(shadow.asks, ruling)))
    }
    this.#refund(charges)
  }

  #refund (charges: readonly LimitCharge[]): void {
    if (charges.length === 0) return
    this.#parts.limiter.refund(charges).catch((error: unknown) => {
      this.#parts.log.debug({ err: error }, 'a request was charged all the same: the store went away meanwhile')
    })
  }
}

const hasOutcomes = ({ asks, shadows }: Pending) => asks.some(({ limit }) => limit.countIf !== undefined) || shadows.some(({ asks }) => asks[0]!.limit.countIf !== undefined)

/** What a question has charged that counts by the answer. */
function openCharges ({ asks, ruling }: Question): OpenCharge[] {
  if (ruling === undefined) return []
  return asks.flatMap((ask, i) => ask.limit.countIf === undefined
    ? []
    : chargesOf([ask], { ...ruling, answers: [ruling.answers[i]!] }).map(charge => ({ ask, charge })))
}

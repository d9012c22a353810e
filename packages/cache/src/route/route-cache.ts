import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify'
import { type Identity, isPromiseLike } from '@respite/redis'
import type { Cache } from '../cache.ts'
import { FST_RSP_CACHE_VARY_BY_INVALID } from '../errors.ts'
import type { ReadReport } from '../read-report.ts'
import { type Forward, appended, forwardStatus } from './cache-status.ts'
import { Capture, type Captured } from './capture.ts'
import { type Wishes, directivesOf, wishesOf } from './directives.ts'
import { type Exchange, type Settle, type Wrapped, callHandler } from './exchange.ts'
import type { Times } from './freshness.ts'
import { Lookup, type LookupParts } from './lookup.ts'
import type { ResolvedRouteOptions } from './options.ts'
import { Refresher } from './refresher.ts'
import { type ReadyAnswers, readyAnswer } from './ready-answer.ts'
import { replay } from './replay.ts'
import { RequestKeys, looselyPath, maxKeyLength, pathTag } from './request-key.ts'
import { lifetimeToStore } from './storable.ts'
import { isStored } from './stored-response.ts'

/** Where a reply's capture is kept. */
export const captureOf = Symbol('respite.cache.capture')

type CapturedReply = FastifyReply & { [captureOf]: Capture | null }

/** What the response cache works with. */
export interface RouteCacheParts {
  /** The namespace of stored answers. */
  readonly cache: Cache
  /** What of it lies in this process. */
  readonly ready: ReadyAnswers
  readonly maxBytes: number
  /** How long one fill may take. */
  readonly leaseMs: number
  /** Wall time. */
  nowMs (): number
  /** Who makes a request, if a plugin knows. */
  identity (): Identity | undefined
  /** Told of what fails behind a client's back. */
  onHidden (what: string, error: unknown): void
}

interface Run { readonly wrapped: Wrapped, readonly exchange: Exchange, readonly personal: boolean }

/**
 * Caches the answers of routes by wrapping their handlers: all hooks and the validation run before a hit as before a miss,
 * and the hooks of the answer after it.
 */
export class RouteCache {
  readonly #parts: RouteCacheParts
  readonly #refresher = new Refresher()
  readonly #handlersOfGet = new WeakSet<RouteHandlerMethod>()

  constructor (parts: RouteCacheParts) {
    this.#parts = parts
  }

  /** The handler to be put in the place of the route's. */
  wrap (route: RouteOptions, options: ResolvedRouteOptions): RouteHandlerMethod {
    const wrapped: Wrapped = { handler: route.handler, options, keys: new RequestKeys(nameOf(route), options), pattern: route.url }
    const self = this
    if ([route.method].flat().includes('GET')) this.#handlersOfGet.add(route.handler)
    // RFC 9110, 9.3.2: a HEAD with a handler of its own need not say what the GET would.
    else if (!this.#handlersOfGet.has(route.handler)) return function (this: FastifyInstance, request, reply) { return pass(wrapped, { server: this, request, reply }, 'method') }
    return function (this: FastifyInstance, request, reply) { return self.#handle(wrapped, { server: this, request, reply }) }
  }

  /** Short where the answer lies in this process: no promise, and nothing asked. */
  #handle (wrapped: Wrapped, exchange: Exchange): unknown {
    const { request } = exchange
    const refreshes = this.#refresher.take(request)
    const personal = personalOf(wrapped, request)
    if (refreshes !== undefined) return this.#refresh({ wrapped, exchange, personal: personal !== undefined }, refreshes)
    const key = this.#passesBy(request, personal) ? '' : wrapped.keys.of(request, personal)
    if (key === '' || key.length > maxKeyLength) return pass(wrapped, exchange, 'bypass')
    const wishes = wrapped.options.requestDirectives ? wishesOf(request.headers['cache-control'], request.headers.pragma) : undefined
    if (wishes !== undefined) return this.#asWished({ wrapped, exchange, personal: personal !== undefined }, key, wishes)
    const ready = this.#parts.ready.find(key)
    if (ready === undefined) return this.#look({ wrapped, exchange, personal: personal !== undefined }, { key, wishes, forward: 'uri-miss' })
    replay(exchange, ready, { state: 'HIT', nowMs: this.#parts.nowMs() })
    return undefined
  }

  #refresh (run: Run, refreshes: (answered: Promise<Captured | undefined>) => void): Promise<unknown> {
    return new Promise((resolve, reject) => { refreshes(this.#run(run, { forward: 'stale', unread: true }, { resolve, reject })) })
  }

  /** Nothing personal is shared, unless the route says by what it differs: stricter than RFC 9111, 3.5. */
  #passesBy (request: FastifyRequest, personal: string | undefined): boolean {
    const { headers } = request
    // A part is not stored (RFC 9111, 3.3), and what is asked of the resource as it is now is the handler's to judge (RFC 9110, 13.1.1 and 13.1.4).
    if (headers.range !== undefined || headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) return true
    // RFC 9111, 5.2.1.5
    if (headers['cache-control'] !== undefined && directivesOf(headers['cache-control']).has('no-store')) return true
    if (personal !== undefined) return false
    return headers.authorization !== undefined || headers.cookie !== undefined || this.#isKnown(request)
  }

  #isKnown (request: FastifyRequest): boolean {
    const identity = this.#parts.identity()
    return identity !== undefined && (identity.userId(request) !== undefined || identity.subject(request) !== undefined)
  }

  /** @see RFC 9111, 5.2.1 */
  async #asWished (run: Run, key: string, wishes: Wishes): Promise<unknown> {
    const { cache, nowMs } = this.#parts
    const { reply } = run.exchange
    let missReason: ReadReport['missReason']
    const found = await cache.getWithTtl<unknown>(key, { onReport: report => { missReason = report.missReason } })
    const stored = found !== undefined && isStored(found.value) ? found.value : undefined
    if (stored !== undefined) {
      const leftMs = found!.ttlMs
      // By the store's clock, not by that of the machine that filled it.
      const age = stored.life.ageMs + stored.life.freshMs - leftMs
      if (!wishes.noCache && age <= wishes.maxAgeMs && leftMs >= wishes.minFreshMs) {
        replay(run.exchange, readyAnswer(stored), { state: 'HIT', nowMs: nowMs() })
        return reply
      }
    }
    // RFC 9111, 5.2.1.7
    if (wishes.onlyIfCached) {
      reply.header('x-cache', 'MISS').header('cache-status', appended(reply.getHeader('cache-status'), 'respite'))
      return reply.code(504).send({ statusCode: 504, error: 'Gateway Timeout', message: 'nothing is stored for this request, and only-if-cached was asked for' })
    }
    // Redis does not answer: it is not asked again.
    if (missReason === 'unavailable') return new Promise((resolve, reject) => this.#runUncached(run, 'uri-miss', { resolve, reject }))
    if (stored !== undefined) await cache.expire(key)
    return this.#look(run, { key, wishes, forward: stored === undefined ? 'uri-miss' : 'request' })
  }

  #look (run: Run, wanted: { key: string, wishes: Wishes | undefined, forward: Forward }): Promise<unknown> {
    return new Lookup(this.#lookupParts(run), { ...run, ...wanted }).answered
  }

  #lookupParts (run: Run): LookupParts {
    const { cache, nowMs, onHidden } = this.#parts
    const { wrapped, exchange, personal } = run
    const { options } = wrapped
    return {
      cache,
      nowMs,
      onHidden,
      tags: tagsOf(options, exchange.request),
      run: (forward, settle) => this.#run(run, { forward, unread: false }, settle),
      runUncached: (forward, settle) => this.#runUncached(run, forward, settle),
      refresh: stale => this.#refresher.run(exchange, stale, { times: timesOf(options), vary: options.vary, personal, nowMs })
    }
  }

  #run (run: Run, { forward, unread }: { forward: Forward, unread: boolean }, settle: Settle): Promise<Captured | undefined> {
    const { wrapped, exchange, personal } = run
    const { nowMs, maxBytes, leaseMs } = this.#parts
    exchange.reply.header('x-cache', 'MISS')
    const capture = new Capture(exchange.reply, {
      maxBytes,
      leaseMs,
      nowMs,
      forward,
      unread,
      // A session that began in the handler makes its answer personal.
      judge: candidate => !personal && this.#isKnown(exchange.request)
        ? undefined
        : lifetimeToStore(candidate, { times: timesOf(wrapped.options), vary: wrapped.options.vary, personal, nowMs: nowMs() })
    });
    (exchange.reply as CapturedReply)[captureOf] = capture
    // What is thrown need not be an error, by which what is sent would be told.
    callHandler(wrapped, exchange, {
      resolve (value) {
        // A reply can be awaited too, and fails for its connection alone.
        if (value === exchange.reply || !isPromiseLike(value)) return settle.resolve(value)
        // Its own `then` is called once: a query of some libraries runs at each call.
        const answer = Promise.resolve(value)
        answer.catch(() => capture.failed())
        settle.resolve(answer)
      },
      reject (error) {
        capture.failed()
        settle.reject(error)
      }
    })
    return capture.done
  }

  #runUncached ({ wrapped, exchange }: Run, forward: Forward, settle: Settle): void {
    const { reply } = exchange
    reply.header('x-cache', 'MISS').header('cache-status', appended(reply.getHeader('cache-status'), forwardStatus(forward)))
    callHandler(wrapped, exchange, settle)
  }
}

/**
 * What `varyBy` says. A promise, or an object, would be one key for all: none is made of it.
 * @throws FST_RSP_CACHE_VARY_BY_INVALID
 */
function personalOf ({ options: { varyBy }, pattern }: Wrapped, request: FastifyRequest): string | undefined {
  const personal: unknown = varyBy?.(request)
  if (personal === undefined || personal === null) return undefined
  if (typeof personal !== 'string') throw new FST_RSP_CACHE_VARY_BY_INVALID(pattern, isPromiseLike(personal) ? 'a promise' : `a value of type ${typeof personal}`)
  return personal
}

function pass (wrapped: Wrapped, { server, request, reply }: Exchange, forward: Forward): unknown {
  reply.header('x-cache', 'BYPASS').header('cache-status', appended(reply.getHeader('cache-status'), forwardStatus(forward)))
  return wrapped.handler.call(server, request, reply)
}

function tagsOf ({ tags, unsafe }: ResolvedRouteOptions, { url }: FastifyRequest): readonly string[] {
  return unsafe === 'never' ? tags : [...tags, pathTag(looselyPath(url), unsafe)]
}

function timesOf ({ ttl, swr, staleIfError }: ResolvedRouteOptions): Times {
  return { ttlMs: ttl, swrMs: swr, staleIfErrorMs: staleIfError }
}

/** Two routes of one path differ in their constraints. */
function nameOf ({ url, constraints }: RouteOptions): string {
  return [url, ...Object.entries(constraints ?? {}).map(([name, value]) => `${name}=${String(value)}`)].join(' ')
}

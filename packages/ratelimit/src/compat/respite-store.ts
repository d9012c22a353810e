import type { Respite } from '@respite/redis'
import type { HitCounter } from './hit-counter.ts'
import type { FastifyRateLimitOptions, FastifyRateLimitStore, HitCallback } from './hit-store.ts'
import type { Beyond, HitRule } from './hits.ts'
import { MemoryHits } from './memory-hits.ts'
import { RedisHits } from './redis-hits.ts'

/** Keys that a store in memory keeps, unless told otherwise. */
export const defaultCache = 5_000
/** The part of our keys that @fastify/rate-limit calls its prefix. */
export const defaultNameSpace = 'fastify-rate-limit-'

/** Makes the counter of a name; in memory, with a place for so many keys. */
type OpenCounter = (name: string, cache: number) => HitCounter

/** What a store of a class is made of. */
interface Parts {
  readonly open: OpenCounter
  /** Counters of groups, which several routes share. */
  readonly groups: Map<string, HitCounter>
  readonly counter: HitCounter
}

/** What a store is told of its route. */
export interface RouteInfo { readonly method?: string | readonly string[], readonly url?: string }

/**
 * Counts as @fastify/rate-limit does, refused hits too: its store in `@respite/ratelimit/compat`, and a `store` class for
 * @fastify/rate-limit itself. As it is it counts in this process; `RespiteStore.over(app.respite)` counts in Redis.
 */
export class RespiteStore implements FastifyRateLimitStore {
  readonly #parts: Parts
  readonly #beyond: Beyond
  #unnamed = 0

  constructor (options: FastifyRateLimitOptions, parts: Parts = partsOf(inMemory, options)) {
    this.#parts = parts
    // In this order, as said in their documentation.
    this.#beyond = options.continueExceeding === true ? 'renew' : options.exponentialBackoff === true ? 'double' : 'keep'
  }

  /**
   * The same over the link of @respite/redis; in memory where that has no server.
   * @param options.nameSpace - the first part of the counters' names. @default 'fastify-rate-limit-'
   * @param options.timeoutMs - longest time a request waits for Redis. @default the link's
   */
  static over ({ link, keyspace }: Pick<Respite, 'link' | 'keyspace'>, { nameSpace = defaultNameSpace, timeoutMs = link.deadlineMs }: { nameSpace?: string, timeoutMs?: number } = {}): { new (options: FastifyRateLimitOptions): RespiteStore } {
    if (link.embedded) return RespiteStore
    const server = { link: link.within(timeoutMs), keyspace }
    const open: OpenCounter = name => new RedisHits(server, nameSpace + name)
    return class extends RespiteStore {
      constructor (options: FastifyRateLimitOptions) {
        super(options, partsOf(open, options))
      }
    }
  }

  incr (key: string, callback: HitCallback, timeWindow: number, max: number): void {
    this.#parts.counter.hit(String(key), this.#rule(timeWindow, max), callback)
  }

  read (key: string, callback: HitCallback, timeWindow: number, max: number): void {
    this.#parts.counter.look(String(key), this.#rule(timeWindow, max), callback)
  }

  /** The store of a route: a counter of its own, or the one of its group. */
  child (options: FastifyRateLimitOptions & { groupId?: string, routeInfo?: RouteInfo }): RespiteStore {
    const { groupId, routeInfo } = options
    if (groupId !== undefined) return this.#with(options, this.#group(groupId, options))
    const { method, url } = routeInfo ?? {}
    return this.part(url === undefined ? `#${++this.#unnamed}` : `${[method].flat().join(',')} ${url}`, options)
  }

  /** A store with a counter of this name. */
  part (name: string, options: FastifyRateLimitOptions): RespiteStore {
    return this.#with(options, this.#parts.open(name, cacheOf(options)))
  }

  #with (options: FastifyRateLimitOptions, counter: HitCounter): RespiteStore {
    return new RespiteStore(options, { ...this.#parts, counter })
  }

  #group (groupId: string, options: FastifyRateLimitOptions): HitCounter {
    const { groups, open } = this.#parts
    const known = groups.get(groupId)
    if (known !== undefined) return known
    const counter = open(`group ${groupId}`, cacheOf(options))
    groups.set(groupId, counter)
    return counter
  }

  #rule (windowMs: number, max: number): HitRule {
    return { windowMs, max, beyond: this.#beyond }
  }
}

const inMemory: OpenCounter = (_name, cache) => new MemoryHits(cache)
const cacheOf = ({ cache = defaultCache }: FastifyRateLimitOptions) => cache
const partsOf = (open: OpenCounter, options: FastifyRateLimitOptions): Parts => ({ open, groups: new Map(), counter: open('', cacheOf(options)) })

import type { FastifyRequest } from 'fastify'
import { type Duration, defineOptions } from '@respite/redis'
import { maxTtlMs } from '../ttl.ts'

/** `config.cache` of a route. */
export interface RouteCacheOptions {
  /**
   * How long an answer is fresh; a shorter `s-maxage`, `max-age` or `Expires` of the answer rules. Without it, only answers
   * that say so themselves are stored.
   */
  ttl?: Duration
  /** How long past that an answer may be given while it is refreshed, where it does not say by `stale-while-revalidate`. @default 0 */
  swr?: Duration
  /** How long past that an answer may be given when the handler fails, where it does not say by `stale-if-error`. @default 0 */
  staleIfError?: Duration
  /** How long past its freshness an answer is kept at most: for the two above, and to be confirmed. @default the longest of the two above and a minute */
  keepStale?: Duration
  /** Query parameters by which answers differ; the others must not matter to the handler. @default all */
  query?: readonly string[]
  /** Request headers by which answers differ, in lower case, such as `accept`. @default [] */
  vary?: readonly string[]
  /**
   * By what else answers differ: a user, a tenant. Requests with Authorization, a cookie or a session for which it gives
   * undefined, and all of them without it, pass by.
   */
  varyBy?: (request: FastifyRequest) => string | undefined
  /** Whether answers differ by the request's host. @default true */
  host?: boolean
  /** Names under which stored answers can be invalidated with `invalidateTags` of `cache.namespace('http')`: at most 95, of 1 to 1,024 characters. @default [] */
  tags?: readonly string[]
  /** Which answers to POST, PUT, PATCH and DELETE of the same path end the stored ones: those below 400, all, or none. @default 'success' */
  unsafe?: 'success' | 'any' | 'never'
  /** Whether a request's Cache-Control is heeded: by `no-cache` and `max-age=0` a client can have the handler run. `no-store` always is. @default true */
  requestDirectives?: boolean
}

/** Complete; times in ms. */
export interface ResolvedRouteOptions {
  ttl?: number
  swr: number
  staleIfError: number
  keepStale?: number
  query?: readonly string[]
  vary: readonly string[]
  varyBy?: (request: FastifyRequest) => string | undefined
  host: boolean
  tags: readonly string[]
  unsafe: 'success' | 'any' | 'never'
  requestDirectives: boolean
}

/** The schema of `config.cache`. */
export const routeOptionsSchema = {
  properties: {
    ttl: { duration: true, minimumMs: 1, maximumMs: maxTtlMs, description: 'How long an answer is fresh; a shorter `s-maxage`, `max-age` or `Expires` of the answer rules. Without it, only answers that say so themselves are stored.' },
    swr: { duration: true, minimumMs: 0, maximumMs: maxTtlMs, default: 0, description: 'How long past that an answer may be given while it is refreshed, where it does not say by `stale-while-revalidate`.' },
    staleIfError: { duration: true, minimumMs: 0, maximumMs: maxTtlMs, default: 0, description: 'How long past that an answer may be given when the handler fails, where it does not say by `stale-if-error`.' },
    keepStale: { duration: true, minimumMs: 0, maximumMs: maxTtlMs, description: 'How long past its freshness an answer is kept at most. Without it, the longest of `swr`, `staleIfError` and a minute.' },
    query: { type: 'array', items: { type: 'string' }, uniqueItems: true, description: 'Query parameters by which answers differ; without it, all. The others must not matter to the handler.' },
    vary: { type: 'array', items: { type: 'string', pattern: '^[a-z0-9-]+$' }, uniqueItems: true, default: [], description: 'Request headers, in lower case, by which answers differ.' },
    varyBy: { instance: 'function', description: 'By what else answers differ: a user, a tenant. Without it, requests with Authorization, a cookie or a session pass by.' },
    host: { type: 'boolean', default: true, description: "Whether answers differ by the request's host." },
    tags: { type: 'array', items: { type: 'string', minLength: 1, maxLength: 1024 }, maxItems: 95, default: [], description: 'Tags of the stored answers.' },
    unsafe: { enum: ['success', 'any', 'never'], default: 'success', description: 'Which answers to POST, PUT, PATCH and DELETE of the same path end the stored ones: those below 400, all, or none.' },
    requestDirectives: { type: 'boolean', default: true, description: "Whether a request's Cache-Control is heeded: by `no-cache` and `max-age=0` a client can have the handler run. `no-store` always is." }
  }
} as const

/** @throws FST_RSP_OPTION_INVALID */
export const resolveRouteOptions = defineOptions<RouteCacheOptions, ResolvedRouteOptions>('cache (config.cache)', routeOptionsSchema)

const minuteMs = 60_000

/** How long past its freshness an answer is kept, in ms. */
export function keptStaleMs ({ keepStale, swr, staleIfError }: ResolvedRouteOptions): number {
  return keepStale ?? Math.max(swr, staleIfError, minuteMs)
}

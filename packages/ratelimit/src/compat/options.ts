import { defineOptions, type Duration, FST_RSP_OPTION_INVALID } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { inspect } from 'node:util'
import type { FastifyRateLimitStoreCtor } from './hit-store.ts'
import { defaultCache, defaultNameSpace } from './respite-store.ts'
import { parseTime } from './time-text.ts'

/** When the limit is checked. */
export type RateLimitHook = 'onRequest' | 'preParsing' | 'preValidation' | 'preHandler'

/** What a builder of answers is told. */
export interface errorResponseBuilderContext {
  /** 429, or 403 when banned. */
  statusCode: number
  ban: boolean
  /** `'1 minute'`. */
  after: string
  max: number
  /** In ms. */
  ttl: number
}

type Valued<Value> = ((request: FastifyRequest, key: string) => Value) | ((request: FastifyRequest, key: string) => Promise<Value>)
type Told = (request: FastifyRequest, key: string) => void

/** Names of headers, false for those that are not wanted. */
export type HeaderChoice = Partial<Record<`${'x-ratelimit' | 'ratelimit'}-${'limit' | 'remaining' | 'reset'}` | 'retry-after', boolean>>

/** Options of `createRateLimit()`. */
export interface CreateRateLimitOptions {
  store?: FastifyRateLimitStoreCtor
  skipOnError?: boolean
  max?: number | Valued<number>
  timeWindow?: number | string | Valued<number>
  allowList?: string[] | ((request: FastifyRequest, key: string) => boolean | Promise<boolean>)
  keyGenerator?: (request: FastifyRequest) => string | number | Promise<string | number>
  ipv6Subnet?: number
  ban?: number
}

/** Options of a route and of `rateLimit()`. */
export interface RateLimitOptions extends CreateRateLimitOptions {
  hook?: RateLimitHook
  cache?: number
  continueExceeding?: boolean
  exponentialBackoff?: boolean
  onBanReach?: Told
  onExceeding?: Told
  onExceeded?: Told
  groupId?: string
  errorResponseBuilder?: (request: FastifyRequest, context: errorResponseBuilderContext) => object
  enableDraftSpec?: boolean
  addHeaders?: HeaderChoice
  addHeadersOnExceeding?: HeaderChoice
}

/** Options of the plugin. */
export interface RateLimitPluginOptions extends Omit<RateLimitOptions, 'groupId'> {
  global?: boolean
  redis?: any
  nameSpace?: string
  /** Ours: longest time a request waits for Redis. @default the link's deadline */
  timeoutMs?: Duration
}

const headers = { type: 'object', additionalProperties: { type: 'boolean' } } as const
const told = { instance: 'function' } as const

const routeProperties = {
  max: { anyOf: [{ type: 'number', minimum: 0 }, { instance: 'function' }], default: 1_000, description: 'Requests of a window, or a function that says so.' },
  timeWindow: { anyOf: [{ type: 'number', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, { type: 'string' }, { instance: 'function' }], default: 60_000, description: 'The window: ms, a text such as `1 minute`, or a function that says the ms.' },
  ban: { type: 'number', minimum: -1, default: -1, description: 'Answers 429 in a window before it is 403; -1: always 429.' },
  hook: { enum: ['onRequest', 'preParsing', 'preValidation', 'preHandler'], default: 'onRequest', description: 'When it is checked.' },
  cache: { type: 'integer', minimum: 1, maximum: 10_000_000, default: defaultCache, description: 'Keys kept in memory, for each route that has options of its own.' },
  allowList: { anyOf: [{ type: 'array', items: { type: 'string' } }, { instance: 'function' }], description: 'Keys that are not counted, or a function that says so.' },
  keyGenerator: { instance: 'function', description: 'Whom a request is counted under. By default `normalizeIP(request.ip, ipv6Subnet)`.' },
  ipv6Subnet: { type: 'number', minimum: 0, maximum: 128, default: 64, description: 'Bits of an IPv6 address that make one client.' },
  groupId: { type: 'string', description: 'Routes of one group share one count. Of a route and `rateLimit()` alone.' },
  store: { instance: 'function', description: 'A class of stores of your own.' },
  skipOnError: { type: 'boolean', default: false, description: 'Whether everybody passes while the store fails. Else the request fails with its error.' },
  continueExceeding: { type: 'boolean', default: false, description: 'Whether a refused request begins the window anew.' },
  exponentialBackoff: { type: 'boolean', default: false, description: 'Whether each refused request doubles the window.' },
  enableDraftSpec: { type: 'boolean', default: false, description: '`ratelimit-*` instead of `x-ratelimit-*`.' },
  addHeaders: { ...headers, description: 'Headers of a refusal; all by default.' },
  addHeadersOnExceeding: { ...headers, description: 'Headers of a request that passes; all by default.' },
  errorResponseBuilder: { ...told, description: 'Makes what is thrown: `(request, { statusCode, ban, after, max, ttl }) => object`.' },
  onExceeding: { ...told, description: 'Told of each request that passes.' },
  onExceeded: { ...told, description: 'Told of each that is refused.' },
  onBanReach: { ...told, description: 'Told of each that is banned.' }
} as const

const { groupId: _groupId, ...everywhere } = routeProperties

/** Types, bounds and defaults of the plugin's options. */
export const optionsSchema = {
  properties: {
    global: { type: 'boolean', default: true, description: 'Whether routes are limited that say nothing of it.' },
    ...everywhere,
    redis: { instance: 'object', description: 'A client. It is used where @respite/redis is not registered; else that has the link.' },
    nameSpace: { type: 'string', maxLength: 128, default: defaultNameSpace, description: 'The first part of the counters\' names in Redis.' },
    timeoutMs: { duration: true, minimumMs: 1, maximumMs: 600_000, description: 'Longest time a request waits for Redis; the link\'s by default. @fastify/rate-limit has no such option.' }
  }
}

type Timed<Options> = Omit<Options, 'timeWindow'> & { readonly timeWindow: Exclude<RateLimitOptions['timeWindow'], string | undefined> }
type Defaulted = 'max' | 'ban' | 'hook' | 'ipv6Subnet' | 'cache' | 'skipOnError' | 'continueExceeding' | 'exponentialBackoff' | 'enableDraftSpec'

/** Options of a route, complete. */
export type ResolvedRouteOptions = Timed<Readonly<RateLimitOptions & Required<Pick<RateLimitOptions, Defaulted>>>>
/** Options of the plugin, complete. */
export type ResolvedPluginOptions = ResolvedRouteOptions & { readonly global: boolean, readonly redis?: object, readonly nameSpace: string, readonly timeoutMs?: number }

type WithText<Options> = Omit<Options, 'timeWindow'> & Pick<Required<RateLimitOptions>, 'timeWindow'>

const area = 'ratelimit/compat'
const definePlugin = defineOptions<object, WithText<ResolvedPluginOptions>>(area, optionsSchema)
const defineRoute = defineOptions<object, WithText<ResolvedRouteOptions>>(area, { properties: routeProperties })

/** @throws FST_RSP_OPTION_INVALID */
export function resolvePluginOptions (given: RateLimitPluginOptions): ResolvedPluginOptions {
  return { ...asGiven(timed(definePlugin(present(given))), given), ...(given.redis == null ? {} : { redis: given.redis }) }
}

/** @throws FST_RSP_OPTION_INVALID */
export function resolveRouteOptions (given: RateLimitOptions): ResolvedRouteOptions {
  return asGiven(timed(defineRoute(present(given))), given)
}

// An app may add to its list while it runs.
const asGiven = <Options extends ResolvedRouteOptions>(options: Options, { allowList }: RateLimitOptions): Options =>
  allowList == null ? options : { ...options, allowList }

/** What was given; null is as good as nothing, as `redis: null` in their documentation. */
export const present = <Options extends object>(options: Options): Options =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null && value !== undefined)) as Options

function timed<Options extends WithText<ResolvedRouteOptions>> (options: Options): Timed<Options> {
  const { timeWindow, max, ban, ipv6Subnet } = options
  const windowMs = typeof timeWindow === 'string' ? parseTime(timeWindow) : timeWindow
  if (windowMs === undefined) throw new FST_RSP_OPTION_INVALID(area, 'timeWindow', "must be ms or a time such as '1 minute'", inspect(timeWindow))
  return { ...options, timeWindow: whole(windowMs), max: whole(max), ban: whole(ban), ipv6Subnet: whole(ipv6Subnet) }
}

const whole = <Value>(value: Value): Value => (typeof value === 'number' ? Math.trunc(value) : value) as Value

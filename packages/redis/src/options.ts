import type { ClientIpOptions } from './client-ip.ts'
import type { Duration } from './duration.ts'
import type { PromRegistry } from './metrics/prom-client.ts'
import { defineOptions } from './option-schema.ts'

/** A client of ioredis 5 or 6 (Redis or Cluster), iovalkey, or node-redis 6 (client or cluster); told by its shape. */
export interface GivenClient {
  duplicate (...args: never[]): unknown
  sendCommand (...args: never[]): unknown
}

/** What may be given to @respite/redis. */
export interface RedisOptions {
  url?: string
  redis?: Record<string, unknown>
  client?: GivenClient
  closeClient?: boolean
  namespace?: string
  keyPrefix?: string
  embedded?: boolean
  boot?: 'wait' | 'degraded'
  deadlineMs?: Duration
  breaker?: { failures?: number, probeEveryMs?: Duration }
  bus?: { maxLength?: number, keepMs?: Duration, closeWithinMs?: Duration }
  clientIp?: Partial<ClientIpOptions>
  metrics?: { registry?: PromRegistry }
}

/** The same with every default. */
export interface ResolvedRedisOptions {
  readonly url?: string
  readonly redis?: Readonly<Record<string, unknown>>
  readonly client?: GivenClient
  readonly closeClient: boolean
  readonly namespace?: string
  readonly keyPrefix: string
  readonly embedded: boolean
  readonly boot: 'wait' | 'degraded'
  readonly deadlineMs: number
  readonly breaker: { readonly failures: number, readonly probeEveryMs: number }
  readonly bus: { readonly maxLength: number, readonly keepMs: number, readonly closeWithinMs: number }
  readonly clientIp: ClientIpOptions
  readonly metrics: { readonly registry?: PromRegistry }
}

/** Every type, bound and default. */
export const optionsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    url: { type: 'string', secret: true, pattern: '^(rediss?://|unix://|/)', description: 'Where Redis is: `redis://`, `rediss://`, or a Unix socket.' },
    redis: {
      type: 'object',
      secret: true,
      description: 'Options of ioredis for the client of `url`, or instead of it: `host`, `port`, `password`, `db`, `tls`, `sentinels`, …'
    },
    client: { instance: 'object', description: 'A client of your own: it is used as it is, and left open.' },
    closeClient: { type: 'boolean', default: false, description: 'Whether a given client is closed with the app.' },
    namespace: { type: 'string', minLength: 1, description: 'The client is `fastify.redis[namespace]`, as with @fastify/redis.' },
    keyPrefix: { type: 'string', minLength: 1, maxLength: 100, default: 'respite', description: 'The first part of every key.' },
    embedded: { type: 'boolean', default: false, description: 'In memory, without a server. In production it must be asked for.' },
    boot: { enum: ['wait', 'degraded'], default: 'degraded', description: '`wait`: the app is ready only with Redis. `degraded`: it is ready without, and says so in /health.' },
    deadlineMs: { duration: true, minimumMs: 1, maximumMs: 600_000, default: 100, description: 'The time each call of the link has.' },
    breaker: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'What stands before a server that fails.',
      properties: {
        failures: { type: 'integer', minimum: 1, maximum: 10_000, default: 5, description: 'After so many failures in a row nothing is sent.' },
        probeEveryMs: { duration: true, minimumMs: 10, maximumMs: 60_000, default: 500, description: 'How often it is tried then.' }
      }
    },
    bus: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'Durable messages.',
      properties: {
        maxLength: { type: 'integer', minimum: 1, maximum: 10_000_000, default: 10_000, description: 'At least so many messages of a durable topic are kept: Redis trims whole nodes of its streams, by default of 100.' },
        keepMs: { duration: true, minimumMs: 1_000, maximumMs: 31_536_000_000, default: 86_400_000, description: 'How long they are kept after the last one.' },
        closeWithinMs: { duration: true, minimumMs: 0, maximumMs: 600_000, default: 5_000, description: 'How long the close of the app waits for jobs at work, which are then given to other instances, and for listeners of durable topics, which are then left.' }
      }
    },
    metrics: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'Where metrics are shown.',
      properties: { registry: { instance: 'object', description: 'A Registry of prom-client: every metric of the suite appears in it.' } }
    },
    clientIp: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'How a client\'s address is found.',
      properties: {
        trust: {
          type: 'array',
          items: { type: 'string', minLength: 1 },
          maxItems: 1_000,
          default: [],
          description: 'The proxies whose X-Forwarded-For is believed: addresses, CIDR ranges, `loopback`, `private`, `unix`. Nobody by default.'
        },
        ipv6Prefix: { type: 'integer', minimum: 16, maximum: 128, default: 64, description: 'Bits of an IPv6 address that make one client.' }
      }
    }
  }
} as const

/** @throws FST_RSP_OPTION_INVALID */
export const resolveOptions = defineOptions<RedisOptions, ResolvedRedisOptions>('@respite/redis', optionsSchema)

import fastifyRedis from '@fastify/redis'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { type AppClient, appClient, decorateRedis, endAppClient } from './app-client.ts'
import type { Bus } from './bus/bus.ts'
import { createMemoryBus, MemoryHub } from './bus/memory-bus.ts'
import { MessageBus } from './bus/message-bus.ts'
import { createRedisBus } from './bus/redis-bus.ts'
import { createAdapter, kindOf } from './clients/client-kind.ts'
import { systemClock } from './clock.ts'
import { FST_RSP_REDIS_BOOT, FST_RSP_REDIS_EMBEDDED_IN_PRODUCTION } from './errors.ts'
import type { HealthReport } from './health.ts'
import { createEmbeddedInvalidations } from './invalidations/embedded-invalidations.ts'
import type { Invalidations } from './invalidations/invalidations.ts'
import { createServerInvalidations } from './invalidations/server-invalidations.ts'
import type { Keyspace } from './keyspace.ts'
import { createEmbeddedLink } from './link/embedded-link.ts'
import type { Link } from './link/link.ts'
import { createRedisLink } from './link/redis-link.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { MemoryQueueRoom } from './queues/memory-queue-room.ts'
import { RedisQueueRoom } from './queues/redis-queue-room.ts'
import { MemoryStreams } from './streams/memory-streams.ts'
import { RedisStreams } from './streams/redis-streams.ts'

/** What differs with and without a server. */
export interface Backing {
  readonly link: Link
  readonly bus: Bus
  readonly invalidations: Invalidations
  breaker (): HealthReport['breaker']
  close (): Promise<void>
}

/** What it is made with. */
export interface BackingTools {
  readonly keyspace: Keyspace
  readonly metrics: Metrics
  readonly log: FastifyBaseLogger
}

const bootMs = 5_000

/**
 * @throws FST_RSP_REDIS_EMBEDDED_IN_PRODUCTION
 * @throws FST_RSP_REDIS_BOOT when the app is to wait for Redis and it is not usable within 5 s
 */
export async function createBacking (fastify: FastifyInstance, options: ResolvedRedisOptions, tools: BackingTools): Promise<Backing> {
  const own = appClient(fastify, options)
  if (own === undefined) return embedded(fastify, options, tools)
  const backing = served(own, options, tools)
  try {
    if (options.boot === 'wait') await usable(backing.link)
    await decorate(fastify, own, options)
    return backing
  } catch (error) {
    await backing.close()
    throw error
  }
}

/** A further client beside the one of `fastify.respite`: it is only put at `fastify.redis[namespace]`. */
export async function addClient (fastify: FastifyInstance, options: ResolvedRedisOptions): Promise<void> {
  const own = appClient(fastify, options)
  if (own === undefined) return
  fastify.addHook('onClose', () => endAppClient(own))
  await decorate(fastify, own, { ...options, boot: 'degraded' })
}

function served (own: AppClient, { deadlineMs, breaker, bus: { closeWithinMs, ...retention } }: ResolvedRedisOptions, { keyspace, metrics, log }: BackingTools): Backing {
  const adapter = createAdapter(own.client)
  const link = createRedisLink({ adapter, metrics, log, clock: systemClock, deadlineMs, breaker })
  const plain = createRedisBus({ adapter, link, keyspace, metrics, log })
  const { origin } = plain
  const streams = new RedisStreams({ origin, adapter, link, keyspace, metrics, log, closeWithinMs })
  const queues = new RedisQueueRoom({ adapter, link, keyspace, metrics, log, clock: systemClock, closeWithinMs })
  const bus = new MessageBus({ plain, streams, queues, metrics, retention })
  const invalidations = createServerInvalidations({ adapter, link, bus: plain, metrics, log })
  return {
    link,
    bus,
    invalidations,
    breaker: () => link.breakerState,
    async close () {
      await Promise.all([bus.close(), invalidations.close()])
      await link.close()
      await endAppClient(own)
    }
  }
}

function embedded (fastify: FastifyInstance, options: ResolvedRedisOptions, { log, metrics }: BackingTools): Backing {
  if (!options.embedded && process.env.NODE_ENV === 'production') throw new FST_RSP_REDIS_EMBEDDED_IN_PRODUCTION()
  if (!fastify.hasDecorator('redis')) decorateRedis(fastify, null, options.namespace)
  const { closeWithinMs, ...retention } = options.bus
  const hub = new MemoryHub()
  const plain = createMemoryBus({ log, hub })
  const streams = new MemoryStreams({ origin: plain.origin, log, metrics, shared: hub.log, closeWithinMs })
  const queues = new MemoryQueueRoom({ shared: hub.queues, log, metrics, clock: systemClock, closeWithinMs })
  const bus = new MessageBus({ plain, streams, queues, metrics, retention })
  return { link: createEmbeddedLink(), bus, invalidations: createEmbeddedInvalidations(), breaker: () => 'closed', close: () => bus.close() }
}

async function decorate (fastify: FastifyInstance, { client, decorated }: AppClient, { boot, namespace }: ResolvedRedisOptions): Promise<void> {
  if (decorated) return
  // @fastify/redis cannot boot while Redis is down, and knows no node-redis.
  if (boot !== 'wait' || kindOf(client) !== 'ioredis') decorateRedis(fastify, client, namespace)
  else await fastify.register(fastifyRedis, { client: client as never, ...(namespace === undefined ? {} : { namespace }) })
}

function usable (link: Link): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new FST_RSP_REDIS_BOOT(link.reason ?? link.state)), bootMs)
    const look = () => {
      if (link.state !== 'up') return
      clearTimeout(timer)
      resolve()
    }
    link.on('state', look)
    look()
  })
}

import type { HealthPart, Respite } from '@respite/redis'
import type { FastifyInstance } from 'fastify'
import { buildServices } from './build-services.ts'
import type { Flusher } from './flusher.ts'
import { endedTopic } from './keeper.ts'
import type { LocalSessions } from './local-sessions.ts'
import { metrics } from './metrics.ts'
import { resolveOptions, type SessionOptions } from './options.ts'
import { purger } from './purger.ts'
import { type SessionServices, servicesOf } from './session-services.ts'
import { createSessions } from './sessions.ts'
import { withinDeadline } from './within-deadline.ts'

/** What stands behind every way in: the two stores, and `fastify.sessions`. */
export function openServices (fastify: FastifyInstance, given: SessionOptions): SessionServices {
  const { respite } = fastify
  const services = buildServices(respite, resolveOptions(given))
  const { store, events, ends, keeper, options } = services
  const sessions = createSessions({ keeper, store, events, ends, clock: respite.clock, options })
  servicesOf.set(sessions, services)
  fastify.decorate('sessions', sessions)
  respite.health.add('session', () => healthOf(services))
  respite.metrics.gauge({
    ...metrics.active,
    async collect (gauge) {
      const active = await sessions.active()
      if (active !== undefined) gauge.of().set(active)
    }
  })
  if (services.flusher !== undefined && options.data === 'behind') countWaiting(respite, services.flusher)
  runWithApp(fastify, services)
  return services
}

function runWithApp (fastify: FastifyInstance, { store, trust, local, flusher, keeper, events, ends, options }: SessionServices): void {
  const { respite } = fastify
  const purge = purger({ store, events, respite })
  let unsubscribe: (() => void) | undefined
  const unwatch = warnWithoutEra(respite)
  const unfollow = local && followed(local, respite)
  fastify.addHook('onReady', async () => {
    await store.open({ migrate: options.migrate, clock: respite.clock })
    await trust?.start()
    purge.start()
    unsubscribe = await respite.bus.subscribe(endedTopic, ids => {
      for (const id of Array.isArray(ids) ? ids : []) if (typeof id === 'string') events.tell('revoked', { id, userId: undefined })
    }, { onGap: () => ends.recheck() })
  })
  events.on('revoked', ({ id }) => ends.ended(id))
  // While Redis is away no message comes.
  const unhear = respite.link.on('state', state => { if (state !== 'up') ends.recheck() })
  fastify.addHook('preClose', async () => {
    unhear()
    ends.close()
  })
  fastify.addHook('onClose', async () => {
    trust?.stop()
    purge.stop()
    unwatch()
    unfollow?.()
    unsubscribe?.()
    await keeper.settled()
    await flusher?.close()
    await store.close()
  })
}

function countWaiting ({ metrics: port }: Respite, flusher: Flusher): void {
  port.gauge({ ...metrics.flushWaiting, collect: gauge => gauge.of().set(flusher.waiting.sessions) })
  port.gauge({ ...metrics.flushAge, collect: gauge => gauge.of().set(flusher.waiting.oldestMs / 1_000) })
}

/** Sessions kept in this process end by the server's word, and are counted. */
function followed (local: LocalSessions, { metrics: port }: Respite): () => void {
  port.gauge({ ...metrics.localSessions, collect: gauge => gauge.of().set(local.size) })
  port.gauge({ ...metrics.localBytes, collect: gauge => gauge.of().set(local.bytes) })
  return local.follow()
}

/** Really asks the durable store. While it is down, sessions found in Redis are served for a stated time. */
async function healthOf ({ store, trust, options }: SessionServices): Promise<HealthPart> {
  const up = await withinDeadline(store.tagOf('-'), options.durableDeadline, 'health').then(() => true, () => false)
  return { status: up ? 'ok' : trust?.outlasts('') ? 'degraded' : 'down', store: store.kind, durable: options.durable === 'none' ? 'none' : up ? 'up' : 'down' }
}

/** A server that hides its identity: a loss of its latest writes cannot be told. */
function warnWithoutEra ({ link, logger }: Respite): () => void {
  let warned = false
  const look = () => {
    if (warned || link.state !== 'up' || link.features.era) return
    warned = true
    logger('session').warn({ server: link.features.server }, 'the Redis server shows neither run_id nor master_replid: an ended session may return if it loses its latest writes')
  }
  look()
  return link.on('state', look)
}

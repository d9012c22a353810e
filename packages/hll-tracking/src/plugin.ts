import { type ClientIp, type Identity, randomSecret, randomToken, type Respite } from '@respite/redis'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Calendar } from './buckets.ts'
import { EventBuffer } from './buffer.ts'
import { FST_RSP_TRACKING_KEY_MISSING } from './errors.ts'
import { type DropReason, Flusher } from './flusher.ts'
import { Identities } from './identity.ts'
import { metrics as names } from './metrics.ts'
import { type ResolvedTrackingOptions, resolveOptions, type TrackingOptions, type Who } from './options.ts'
import { type TrackConfig, trackRoutes } from './route-tracking.ts'
import { advisoriesOf } from './server-advisories.ts'
import { MemoryStore } from './stores/memory.ts'
import { RedisStore } from './stores/redis.ts'
import type { TrackingStore } from './stores/store.ts'
import { type ObserveDrop, Tracking } from './tracking.ts'

declare module 'fastify' {
  interface FastifyInstance {
    tracking: Tracking
  }
  interface FastifyContextConfig {
    /** Counts this route's callers: the name of a metric, or `{ metric, who }`. */
    track?: TrackConfig
  }
}

async function trackingPlugin (app: FastifyInstance, given: TrackingOptions): Promise<void> {
  const options = resolveOptions(given)
  const respite = app.respite
  const log = respite.logger('hll-tracking')
  const drops = new Drops(respite, log)
  const { tracking, flusher } = compose(respite, options, drops)

  app.decorate('tracking', tracking)
  respite.requests.claim('track', '@respite/hll-tracking')
  app.addHook('onRoute', trackRoutes(tracking, options.who ?? defaultWho(app, respite), log))
  respite.health.add('tracking', () => ({ status: 'ok', buffered: tracking.buffered, dropped: drops.events }))
  const warn = advisoryWarning(respite, log)
  warn()
  const unlisten = respite.link.on('state', state => {
    if (state !== 'up') return
    warn()
    flusher.retry()
  })
  app.addHook('onClose', async () => {
    unlisten()
    await tracking.close()
  })
}

function compose (respite: Respite, options: ResolvedTrackingOptions, drops: Drops) {
  const { clock, link, keyspace, metrics } = respite
  if (options.key === undefined && !link.embedded) throw new FST_RSP_TRACKING_KEY_MISSING()
  const identities = new Identities(options.key ?? randomSecret(32), options.ids, options.previousKeys)
  const calendar = new Calendar({ minute: options.keepMinutesMs, hour: options.keepHoursMs, day: options.keepDaysMs }, options.zones)
  const capacity = { total: options.topCapacity, bucket: options.bucketTopCapacity }
  const store: TrackingStore = link.embedded
    ? new MemoryStore({ calendar, clock, capacity })
    : new RedisStore(link, { keyspace, calendar, clock, capacity })
  const buffer = new EventBuffer(options.maxBuffered)
  const onDrop = (events: number, reason: DropReason | ObserveDrop, error?: unknown) => drops.note(events, reason, error)
  const flusher = new Flusher({ buffer, store, identities, clock, origin: randomToken(), flushEveryMs: options.flushEveryMs, onDrop })
  const events = metrics.counter(names.events).of()
  const tracking = new Tracking({ store, buffer, flusher, identities, calendar, clock, maxMetrics: options.maxMetrics, onEvent: () => events.inc(), onDrop })
  return { tracking, flusher }
}

/** Makes what says once that the server has known faults, when it is known which server it is. */
function advisoryWarning ({ link }: Respite, log: FastifyBaseLogger): () => void {
  let known = false
  return () => {
    if (known || link.state !== 'up') return
    known = true
    const { server, version } = link.features
    const advisories = advisoriesOf(link.features)
    if (advisories.length > 0) log.warn({ server, version, advisories }, 'this version of the server has known faults in HyperLogLog, unless its distributor has mended them')
  }
}

// Redis may be away for hours, and every request drops an event.
const logEveryMs = 60_000

/** Counts what was dropped, and says each reason once a minute at most. */
class Drops {
  readonly #series
  readonly #clock
  readonly #log: FastifyBaseLogger
  readonly #saidMs = new Map<string, number>()
  events = 0

  constructor (respite: Respite, log: FastifyBaseLogger) {
    this.#series = respite.metrics.counter(names.dropped).of()
    this.#clock = respite.clock
    this.#log = log
  }

  note (events: number, reason: DropReason | ObserveDrop, error?: unknown): void {
    this.events += events
    this.#series.inc(events)
    // Whoever has no caller to count has it at every request.
    if (reason === 'nobody') return
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - (this.#saidMs.get(reason) ?? -Infinity) < logEveryMs) return
    this.#saidMs.set(reason, nowMs)
    this.#log.warn({ reason, events, droppedInAll: this.events, err: error }, 'events are not counted')
  }
}

// Who provides what is known at onReady; no request comes before.
function defaultWho (app: FastifyInstance, respite: Respite): Who {
  let identity: Identity | undefined
  let clientIp: ClientIp | undefined
  app.addHook('onReady', async () => {
    identity = respite.find('identity')
    clientIp = respite.find('clientIp')
  })
  return request => identity?.userId(request) ?? clientIp?.subject(request)
}

/** Unique callers, top callers and exact calls: `fastify.tracking` and the routes' `config.track`. */
export const tracking = fp(trackingPlugin, { fastify: '5.x', name: '@respite/hll-tracking', decorators: { fastify: ['respite'] } })
export default tracking

import type { HealthPart, Identity, Respite } from '@respite/redis'
import { randomSecret, randomToken } from '@respite/redis'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Copies } from './copies.ts'
import { FST_RSP_SESSION_DURABLE_MISSING, FST_RSP_SESSION_SECRETS_MISSING } from './errors.ts'
import { Credentials } from './http/credentials.ts'
import type { LoginOptions } from './http/login-options.ts'
import { originCheck } from './http/origin.ts'
import { RequestSession } from './http/request-session.ts'
import { checkRoute } from './http/route-plan.ts'
import { SessionCookie } from './http/session-cookie.ts'
import { held, sessionDuty, type SessionRequest } from './http/session-duty.ts'
import { finish, login, logout, type ReplyParts, rotate } from './http/session-reply.ts'
import { Flusher } from './flusher.ts'
import { heal } from './healer.ts'
import { type SessionServices, servicesOf } from './session-services.ts'
import { endedTopic, Keeper } from './keeper.ts'
import { type LocalSessions, openLocal } from './local-sessions.ts'
import { LookUp } from './look-up.ts'
import { metrics } from './metrics.ts'
import { resolveOptions, type SessionOptions } from './options.ts'
import type { ResolvedOptions } from './resolved-options.ts'
import { purger } from './purger.ts'
import { RedisStore } from './redis-only/redis-store.ts'
import { Rotator } from './rotator.ts'
import { SessionEnds } from './session-ends.ts'
import { SessionEvents } from './session-events.ts'
import { createSessions } from './sessions.ts'
import { MemoryStore } from './stores/memory.ts'
import type { PendingRow, SessionStore } from './stores/store.ts'
import { isVisitorTag, Tokens } from './token.ts'
import { type Place, Trust } from './trust.ts'
import { withinDeadline } from './within-deadline.ts'

/**
 * Sessions for Fastify: `request.session`, `reply.login`, `reply.logout`, `fastify.sessions`, route `config.session`.
 * @throws FST_RSP_OPTION_INVALID, FST_RSP_SESSION_OPTIONS, FST_RSP_SESSION_DURABLE_MISSING, FST_RSP_SESSION_SECRETS_MISSING
 */
async function sessionPlugin (fastify: FastifyInstance, given: SessionOptions): Promise<void> {
  const { respite } = fastify
  const services = openServices(fastify, given)
  const { options, events, keeper, rotator, lookUp, copies } = services
  const cookie = new SessionCookie(options.cookie, options.absolute)
  const checkOrigin = originCheck(options.csrf)
  const credentials = new Credentials(services.tokens, cookie, { transports: options.transports, events })

  decorate(fastify, { options, parts: { keeper, rotator, cookie, checkOrigin, options, events, hold: credential => copies.hold(credential) } })
  fastify.addHook('onRoute', checkRoute)
  respite.requests.add(sessionDuty({ credentials, lookUp, keeper, checkOrigin, options }))
  respite.provide('identity', identityOf(credentials))
}

/** What stands behind every way in: the two stores, and `fastify.sessions`. */
export function openServices (fastify: FastifyInstance, given: SessionOptions): SessionServices {
  const { respite } = fastify
  const services = build(respite, resolveOptions(given))
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

function build (respite: Respite, options: ResolvedOptions): SessionServices {
  const { link, keyspace, clock, chance } = respite
  if (!link.embedded && options.durable === undefined) throw new FST_RSP_SESSION_DURABLE_MISSING()
  if (options.secrets === undefined && options.durable !== undefined && !(link.embedded && options.durable === 'none')) throw new FST_RSP_SESSION_SECRETS_MISSING()
  const log = respite.logger('session')
  const events = new SessionEvents(respite.metrics, log)
  const store = storeOf(respite, options)
  const copies = new Copies(link, keyspace, keys => local?.end(keys))
  // Sessions that end with this process need a secret no longer.
  const secrets = options.secrets ?? [randomSecret(32).toString('base64url')]
  const tokens = new Tokens(secrets, credential => copies.hold(credential))
  const times = { pollEveryMs: options.pollEvery, trustMs: options.trust, durableDownMs: options.durableDown, deadlineMs: options.durableDeadline }
  const healed = (rows: readonly PendingRow[]): Promise<unknown> => keeper.inBackground(heal({ store, copies, flusher, log, deadlineMs: options.durableDeadline }, rows))
  const onPending = (rows: readonly Place[]) => local?.end(rows.map(row => copies.hold(row).keys[1]))
  // Embedded with a durable store keeps no copies: two processes may share the store. Nor does a store that is Redis itself.
  const trust: Trust | undefined = link.embedded || options.durable === 'none' ? undefined : new Trust({ store, clock, chance, log, times, heal: healed, onPending })
  const local = openLocal({ copies, trust, invalidations: respite.invalidations, clock }, options.l1)
  const redis = trust && { copies, trust, local }
  const inBackground = (work: Promise<unknown>): Promise<unknown> => keeper.inBackground(work)
  const anyFlusher: Flusher | undefined = redis && new Flusher({ store, ...redis, clock, log, options, counts: flushCounts(respite), inBackground })
  const [flusher, mixedModeFlusher] = options.data === 'through' ? [undefined, anyFlusher] : [anyFlusher, undefined]
  const lookUp = new LookUp({
    // Memory answers at once, and needs no timer for every request.
    find: store.kind === 'memory' ? ({ hash }) => store.find(hash) : ({ hash, tag }) => withinDeadline(store.find(hash, tag), options.durableDeadline, 'find'),
    ...(store instanceof RedisStore && { dataSetOf: ({ tag }) => store.dataSetOf(tag) }),
    redis,
    flusher,
    mixedModeFlusher,
    events,
    rotateMs: options.rotateEvery === 0 ? Infinity : options.rotateEvery,
    monotonicMs: () => clock.monotonicMs(),
    onBackground: work => keeper.inBackground(work),
    onReuse ({ sid, owner }) {
      events.emit('reuse', { id: sid, userId: undefined })
      log.warn({ session: sid }, 'a superseded session token was used: the session ends')
      keeper.inBackground(keeper.revoke({ owner, sid }))
    }
  })
  const keeper: Keeper = new Keeper({ store, redis, flusher, mixedModeFlusher, lookUp, tokens, events, bus: respite.bus, clock, log, options, newId: randomToken })
  const rotator = new Rotator({ store, redis, flusher, mixedModeFlusher, tokens, events, clock, log, options, confirm: row => keeper.confirm([], [row]) })
  const ends = new SessionEnds({
    living: sids => withinDeadline(store.living(sids), options.durableDeadline, 'living'),
    // Embedded, what other processes do with the same store is told by nobody.
    hears: () => link.embedded ? store.kind === 'memory' : link.state === 'up',
    prolong ({ sid, userId }, { hash, tag, leftMs, rememberMs = options.idle }) {
      if (rememberMs - leftMs >= options.touchEvery) keeper.touch(copies.hold({ tag, hash }), { sid, userId })
    },
    inBackground: work => keeper.inBackground(work),
    clock,
    chance,
    log,
    times: { recheckMs: options.recheckEvery, deafRecheckMs: Math.min(options.recheckEvery, options.trust), durableDownMs: options.durableDown }
  })
  return { options, store, events, ends, flusher, lookUp, keeper, rotator, copies, tokens, trust, local, secrets, clock, log }
}

function storeOf ({ link, keyspace, logger }: Respite, { durable, maxSessions, afterFailover }: ResolvedOptions): SessionStore {
  if (durable !== undefined && durable !== 'none') return durable
  return link.embedded ? new MemoryStore(maxSessions) : new RedisStore({ link, keyspace, log: logger('session'), afterFailover })
}

function decorate (fastify: FastifyInstance, { options, parts }: { options: ResolvedOptions, parts: ReplyParts }): void {
  const sessionOf = (request: SessionRequest): RequestSession => {
    request[held] ??= new RequestSession(options.maxDataBytes, request.routeOptions.config?.session === false)
    return request[held]
  }
  fastify.decorateRequest(held as unknown as string, null)
  fastify.decorateRequest('session', { getter (this: FastifyRequest) { return sessionOf(this) } })
  fastify.decorateReply('login', function (this: FastifyReply, userId: string, login_: LoginOptions = {}) {
    return login(parts, { reply: this, session: sessionOf(this.request) }, { userId, options: login_ })
  })
  fastify.decorateReply('logout', function (this: FastifyReply) { return logout(parts, sessionOf(this.request)) })
  fastify.decorateReply('rotate', function (this: FastifyReply) { return rotate(parts, { reply: this, session: sessionOf(this.request) }) })
  fastify.addHook('onSend', (request: SessionRequest, reply, _payload, done) => {
    const session = request[held]
    if (!session || (!session.changed && session.cookie === undefined && session.found?.rotation === undefined)) done()
    else finish(parts, session, reply).then(() => done(), done)
  })
}

function identityOf (credentials: Credentials): Identity {
  return {
    userId: (request: SessionRequest) => request[held]?.found?.userId,
    // Each cookie of a visitor would be somebody new.
    subject (request: SessionRequest) {
      const tag = (request[held]?.held ?? credentials.of(request)?.held)?.tag
      return tag === undefined || isVisitorTag(tag) ? undefined : tag
    }
  }
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

function flushCounts ({ metrics: port }: Respite) {
  const counter = port.counter(metrics.flushes)
  return { flushed: counter.of('flushed'), failed: counter.of('failed') }
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

export const session = fp(sessionPlugin, { fastify: '5.x', name: '@respite/session', decorators: { fastify: ['respite'] } })
export default session

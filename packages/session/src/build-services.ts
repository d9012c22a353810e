import { type Respite, randomSecret, randomToken } from '@respite/redis'
import { Copies } from './copies.ts'
import { FST_RSP_SESSION_DURABLE_MISSING, FST_RSP_SESSION_SECRETS_MISSING } from './errors.ts'
import { Flusher } from './flusher.ts'
import { heal } from './healer.ts'
import { Keeper } from './keeper.ts'
import { openLocal } from './local-sessions.ts'
import { LookUp, type LookUpParts } from './look-up.ts'
import { metrics } from './metrics.ts'
import { RedisStore } from './redis-only/redis-store.ts'
import type { ResolvedOptions } from './resolved-options.ts'
import { Rotator } from './rotator.ts'
import { SessionEnds } from './session-ends.ts'
import { SessionEvents } from './session-events.ts'
import type { SessionServices } from './session-services.ts'
import { MemoryStore } from './stores/memory.ts'
import type { PendingRow, SessionStore } from './stores/store.ts'
import { Tokens } from './token.ts'
import { type Place, Trust } from './trust.ts'
import { withinDeadline } from './within-deadline.ts'

interface EndsParts extends Pick<SessionServices, 'options' | 'store' | 'keeper' | 'copies' | 'log'> {
  readonly respite: Respite
}

/** The parts of one app's sessions, put together; none has begun. */
export function buildServices (respite: Respite, options: ResolvedOptions): SessionServices {
  const { link, keyspace, clock, chance } = respite
  const store = storeOf(respite, options)
  const secrets = secretsOf(respite, options)
  const log = respite.logger('session')
  const events = new SessionEvents(respite.metrics, log)
  const copies = new Copies(link, keyspace, keys => local?.end(keys))
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
    ...asksOf(store, options),
    redis,
    flusher,
    mixedModeFlusher,
    events,
    rotateMs: options.rotateEvery === 0 ? Infinity : options.rotateEvery,
    monotonicMs: () => clock.monotonicMs(),
    onBackground: inBackground,
    onReuse ({ sid, owner }) {
      events.emit('reuse', { id: sid, userId: undefined })
      log.warn({ session: sid }, 'a superseded session token was used: the session ends')
      keeper.inBackground(keeper.revoke({ owner, sid }))
    }
  })
  const keeper: Keeper = new Keeper({ store, redis, flusher, mixedModeFlusher, lookUp, tokens, events, bus: respite.bus, clock, log, options, newId: randomToken })
  const rotator = new Rotator({ store, redis, flusher, mixedModeFlusher, tokens, events, clock, log, options, confirm: row => keeper.confirm([], [row]) })
  const ends = endsOf({ respite, options, store, keeper, copies, log })
  return { options, store, events, ends, flusher, lookUp, keeper, rotator, copies, tokens, trust, local, secrets, clock, log }
}

/** Ends what is held open with a session. */
function endsOf ({ respite: { link, clock, chance }, options, store, keeper, copies, log }: EndsParts): SessionEnds {
  return new SessionEnds({
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
}

function storeOf ({ link, keyspace, logger }: Respite, { durable, maxSessions, afterFailover }: ResolvedOptions): SessionStore {
  if (durable !== undefined && durable !== 'none') return durable
  if (link.embedded) return new MemoryStore(maxSessions)
  if (durable === undefined) throw new FST_RSP_SESSION_DURABLE_MISSING()
  return new RedisStore({ link, keyspace, log: logger('session'), afterFailover })
}

function secretsOf ({ link }: Respite, { secrets, durable }: ResolvedOptions): readonly string[] {
  if (secrets !== undefined) return secrets
  if (durable !== undefined && !(link.embedded && durable === 'none')) throw new FST_RSP_SESSION_SECRETS_MISSING()
  // Sessions that end with this process need a secret no longer.
  return [randomSecret(32).toString('base64url')]
}

/** What a look-up asks the authority. */
function asksOf (store: SessionStore, { durableDeadline }: ResolvedOptions): Pick<LookUpParts, 'find' | 'dataSetOf'> {
  // Memory answers at once, and needs no timer for every request.
  if (store.kind === 'memory') return { find: ({ hash }) => store.find(hash) }
  return {
    find: ({ hash, tag }) => withinDeadline(store.find(hash, tag), durableDeadline, 'find'),
    ...(store instanceof RedisStore && { dataSetOf: ({ tag }: Place) => store.dataSetOf(tag) })
  }
}

function flushCounts ({ metrics: port }: Respite) {
  const counter = port.counter(metrics.flushes)
  return { flushed: counter.of('flushed'), failed: counter.of('failed') }
}

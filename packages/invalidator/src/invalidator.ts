import type { FastifyBaseLogger } from 'fastify'
import type { Bus, Clock, CounterSeries, DropReport, Invalidation, Metrics } from '@respite/redis'
import { Announcer } from './announcer.ts'
import { type Definition, type Strategy, type Targets, idOf, versionKey } from './definition.ts'
import { Entities } from './entities.ts'
import { FST_RSP_INVALIDATOR_NOT_VERSIONED } from './errors.ts'
import { Listener } from './listener.ts'
import { metrics } from './metrics.ts'
import { type Mutation, type Write, mutation } from './mutation.ts'
import type { ResolvedOptions } from './options.ts'
import type { Versions } from './versions.ts'
import { WarmUps } from './warm-ups.ts'
import type { WarmEntry, WarmUpOptions, WarmUpReport } from './warm-up.ts'
import { type What, checkedWhat, mergedTargets } from './what.ts'

/** What a change has ended. */
export interface ChangeReport extends DropReport, Targets {
  readonly entity: string
  readonly strategy: Strategy
  /** Whether the other instances were told; only with `on-event`. */
  readonly published: boolean
  /** Why nothing was dropped, where that is so by design. */
  readonly note?: string
}

/** What an invalidator works with. */
export interface InvalidatorParts {
  /** The cache's side; asked for when it is needed, since the cache may be registered later. */
  invalidation (): Invalidation
  readonly bus: Bus
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: FastifyBaseLogger
  readonly versions: Versions
  readonly options: Readonly<ResolvedOptions>
}

type Event = 'create' | 'update' | 'delete' | 'route' | 'mutate' | 'message' | 'malformed' | 'gap'
interface Named extends Targets { readonly strategy: Strategy, readonly entity?: string }

const nothing: Targets = { keys: [], patterns: [], tags: [] }

/** What must leave the cache after a write, said once an entity. To be called after the commit, or around it by `mutate`. */
export class Invalidator {
  readonly #parts: InvalidatorParts
  readonly #entities = new Entities()
  readonly #announcer: Announcer
  readonly #listener: Listener
  readonly #warmUps: WarmUps

  constructor (parts: InvalidatorParts) {
    const { invalidation, bus, clock, log, options: { topic } } = parts
    this.#parts = parts
    this.#announcer = new Announcer({ bus, topic, log })
    this.#listener = new Listener({ invalidation, entities: this.#entities, clock, topic, log, count: event => this.#count('on-event', event) })
    this.#warmUps = new WarmUps(parts)
  }

  /**
   * Says what a change of an entity ends. An entity without a definition ends `entity:id` and `entity:list:*`.
   * @throws FST_RSP_INVALIDATOR_DEFINED, FST_RSP_INVALIDATOR_DEFINITION_INVALID, FST_RSP_INVALIDATOR_DEFINITIONS_TOO_MANY
   */
  define<T = any> (name: string, definition: Definition<T>): void {
    this.#entities.define(name, definition as Definition<never>)
  }

  /** After an entity was made: its lists and tags end, and its keys, since its absence may be cached too. */
  async afterCreate (name: string, entity: unknown): Promise<ChangeReport> {
    return this.#changed(name, 'create', [entity])
  }

  /** After an entity was changed: keys, lists and tags of both states end. */
  async afterUpdate (name: string, before: unknown, after: unknown): Promise<ChangeReport> {
    return this.#changed(name, 'update', [before, after])
  }

  /** After an entity was deleted. */
  async afterDelete (name: string, entity: unknown): Promise<ChangeReport> {
    return this.#changed(name, 'delete', [entity])
  }

  /**
   * A write with what it ends: drops and holds the keys before it, drops again after it, also when it fails. `write` is
   * the whole transaction; it reads the database, not the cache, whose held keys wait for it.
   * @throws what `write` throws; FST_RSP_INVALIDATOR_WHAT_INVALID, before the write
   */
  async mutate<T> (what: What, write: Write<T>): Promise<Mutation<T>> {
    const { invalidation, options, log } = this.#parts
    const changes: Named[] = []
    const targets = () => mergedTargets(changes)
    return mutation({
      add: more => {
        const named = this.#named(more)
        invalidation().check?.(named)
        changes.push(named)
      },
      open: () => {
        const cache = invalidation()
        for (const strategy of new Set(changes.map(change => change.strategy))) this.#count(strategy, 'mutate').inc()
        return cache.hold?.(targets(), { holdMs: options.hold }) ?? cache.drop(targets())
      },
      close: async () => {
        const all = targets()
        const report = await invalidation().drop(all)
        return { ...all, ...report, published: await this.#tell(changes) }
      },
      onHidden: error => log.error({ err: error }, 'the cache could not be told of a write that failed')
    }, what, write)
  }

  /**
   * A part for keys that grows with each change of an entity: what was cached under an older one is not found any more.
   * @throws FST_RSP_INVALIDATOR_NOT_VERSIONED, FST_RSP_INVALIDATOR_TARGETS_INVALID
   */
  async version (name: string, id: string | number | bigint): Promise<string> {
    const { invalidation, versions, options } = this.#parts
    if (!this.#entities.of(name).versioned) throw new FST_RSP_INVALIDATOR_NOT_VERSIONED(name)
    const text = idOf(name, id)
    const next = () => versions.next(name, text)
    return await (invalidation().read?.(versionKey(name, text), next, { ttlMs: options.versionTtl }) ?? next()) as string
  }

  /**
   * Loads entries that are not there yet, with bounded concurrency and time; ends when the app closes. With `onReady` it runs
   * before the app is ready, which waits for it: do not wait for the report inside a plugin then.
   * @throws FST_RSP_DURATION_INVALID, FST_RSP_INVALIDATOR_WARM_UP_INVALID
   */
  warmUp (entries: readonly WarmEntry[], options: WarmUpOptions = {}): Promise<WarmUpReport> {
    return this.#warmUps.start(entries, options)
  }

  /**
   * The cache is there: checks the definitions by it, and warms what is to be warmed before the app is ready.
   * @throws FST_RSP_INVALIDATOR_DEFINITION_INVALID
   */
  async ready (): Promise<void> {
    this.#entities.ready(this.#parts.invalidation())
    await this.#warmUps.ready()
  }

  /** The app closes: what is being warmed ends. */
  close (): void {
    this.#warmUps.close()
  }

  /** Drops what a route has named. */
  async dropFor (what: What): Promise<DropReport> {
    const named = this.#named(what)
    this.#count(named.strategy, 'route').inc()
    const report = await this.#parts.invalidation().drop(named)
    await this.#tell([named])
    return report
  }

  /** Another instance, or a program in another language, has told of a change. */
  async heard (value: unknown): Promise<void> {
    return this.#listener.heard(value)
  }

  /** Messages may have been missed: what lies in this process is not to be trusted. */
  missed (): void {
    this.#listener.missed()
  }

  async #changed (name: string, event: Event, states: readonly unknown[]): Promise<ChangeReport> {
    const { strategy, keys, patterns, tags } = this.#named({ entity: name, states })
    this.#count(strategy, event).inc()
    const about = { entity: name, strategy, keys, patterns, tags }
    if (strategy === 'ttl') return { ...about, published: false, dropped: 0, queued: 0, settled: Promise.resolve(), note: 'strategy ttl: entries live out their time' }
    const report = await this.#parts.invalidation().drop({ keys, patterns, tags })
    return { ...about, ...report, published: await this.#tell([{ entity: name, strategy, keys, patterns, tags }]) }
  }

  /** What is to be dropped, by its definition where it is a change of an entity. */
  #named (what: What): Named {
    const checked = checkedWhat(what)
    if (!('entity' in checked)) return { ...checked, strategy: 'on-write' }
    const { entity: name, states } = checked
    const entity = this.#entities.of(name)
    if (entity.strategy === 'ttl') return { entity: name, strategy: 'ttl', ...nothing }
    return { entity: name, strategy: entity.strategy, ...entity.targets(states.filter(state => state !== undefined && state !== null)) }
  }

  /** @returns whether anybody was to be told, and all were */
  async #tell (changes: readonly Named[]): Promise<boolean> {
    const events = changes.filter(change => change.strategy === 'on-event')
    const told = await Promise.all(events.map(({ strategy, ...message }) => this.#announcer.tell(message)))
    return told.length > 0 && told.every(Boolean)
  }

  #count (strategy: Strategy, event: Event): CounterSeries {
    return this.#parts.metrics.counter(metrics.events).of(strategy, event)
  }
}

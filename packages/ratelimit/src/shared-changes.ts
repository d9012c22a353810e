import type { Bus, Keyspace, KeyShape, Link } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'
import { keys } from './keys.ts'
import { changedRule, type LimitChange, type LimitChanges, textOf } from './limit-changes.ts'
import type { Limits } from './limits.ts'
import type { Rule } from './rule.ts'

/** What they are shared by. */
export interface SharedChangesParts {
  readonly changes: LimitChanges
  readonly limits: Limits
  readonly link: Link
  readonly keyspace: Keyspace
  readonly bus: Bus
  readonly log: FastifyBaseLogger
}

const topic = 'ratelimit.limits'
const everyMs = 60_000
const keptMs = 86_400_000

/**
 * Changes of limits that hold in every process of an app. Redis has them; the bus only says that there is something to read, and
 * each process reads once a minute in any case. Reading keeps them: a change ends a day after the last process that knew the limit.
 */
export class SharedChanges {
  readonly #parts: SharedChangesParts
  readonly #shape: KeyShape
  #reading: Promise<void> | undefined
  #again = false
  #timer: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined
  #unlisten: (() => void) | undefined

  constructor (parts: SharedChangesParts) {
    this.#parts = parts
    this.#shape = parts.keyspace.define(keys.change.template)
  }

  async start (): Promise<void> {
    const { link, bus } = this.#parts
    if (link.embedded) return
    const read = () => { this.#refresh() }
    this.#unlisten = link.on('state', state => { if (state === 'up') read() })
    this.#unsubscribe = await bus.subscribe(topic, read, { onGap: read })
    this.#timer = setInterval(read, everyMs).unref()
    if (link.state === 'up') await this.#refresh()
  }

  stop (): void {
    this.#unsubscribe?.()
    this.#unlisten?.()
    clearInterval(this.#timer)
  }

  /**
   * Changes a limit in every process; null: back to what the code says.
   * @param rule - as the code says it
   * @throws FST_RSP_OPTION_INVALID, FST_RSP_RATELIMIT_LIMIT_INVALID, and a LinkError when Redis has not taken it
   */
  async set (rule: Rule, change: LimitChange | null): Promise<void> {
    const { link, bus, changes, log } = this.#parts
    const changed = change === null ? undefined : changedRule(changes.of(rule), change)
    const key = this.#shape.key(rule.name)
    if (!link.embedded) await (changed === undefined ? link.send('DEL', key) : link.send('SET', key, textOf(changed)!, 'PX', keptMs))
    this.#put(rule, changed)
    if (link.embedded) return
    // A read that is under way may have begun before it was written.
    await this.#refresh()
    await bus.publish(topic, rule.name).catch((error: unknown) => log.debug({ err: error }, 'other processes learn of a changed limit within a minute'))
  }

  /** Reads what holds; what fails is read again within a minute, and at the next return of Redis. */
  #refresh (): Promise<void> {
    this.#again = true
    this.#reading ??= this.#readWhileAsked().finally(() => { this.#reading = undefined })
    return this.#reading
  }

  async #readWhileAsked (): Promise<void> {
    while (this.#again) {
      this.#again = false
      await this.#read().catch((error: unknown) => this.#parts.log.debug({ err: error }, 'changed limits could not be read'))
    }
  }

  async #read (): Promise<void> {
    const { limits, link } = this.#parts
    const rules = limits.all().map(({ rule }) => rule)
    if (rules.length === 0) return
    const texts = await link.send('MGET', ...rules.map(({ name }) => this.#shape.key(name))) as (string | null)[]
    for (const [i, rule] of rules.entries()) this.#put(rule, this.#ruleOf(rule, texts[i]!))
    await Promise.all(rules.map(({ name }, i) => texts[i] === null ? undefined : link.send('PEXPIRE', this.#shape.key(name), keptMs)))
  }

  #ruleOf (rule: Rule, text: string | null): Rule | undefined {
    if (text === null) return undefined
    try {
      return changedRule(rule, JSON.parse(text))
    } catch (error) {
      this.#parts.log.warn({ err: error, limit: rule.name }, 'a change of a limit does not fit it, it holds as the code says')
      return undefined
    }
  }

  #put (rule: Rule, changed: Rule | undefined): void {
    const { changes, log } = this.#parts
    if (changes.put(rule.name, changed)) log.info({ limit: rule.name, now: textOf(changed) ?? 'as the code says' }, 'a limit was changed')
  }
}

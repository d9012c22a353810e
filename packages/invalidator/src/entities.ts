import { inspect } from 'node:util'
import type { Invalidation } from '@respite/redis'
import { type Definition, type Entity, type Targets, entityOf } from './definition.ts'
import { FST_RSP_INVALIDATOR_DEFINED, FST_RSP_INVALIDATOR_DEFINITION_INVALID, FST_RSP_INVALIDATOR_DEFINITIONS_TOO_MANY } from './errors.ts'

/** Entities are named by the app, never from requests. */
const maxEntities = 1_000

/** What is defined, by name. */
export class Entities {
  readonly #defined = new Map<string, Entity>()
  #cache: Invalidation | undefined

  /** @throws FST_RSP_INVALIDATOR_DEFINED, FST_RSP_INVALIDATOR_DEFINITION_INVALID, FST_RSP_INVALIDATOR_DEFINITIONS_TOO_MANY */
  define (name: string, definition: Definition<never>): void {
    if (this.#defined.has(name)) throw new FST_RSP_INVALIDATOR_DEFINED(name)
    if (this.#defined.size >= maxEntities) throw new FST_RSP_INVALIDATOR_DEFINITIONS_TOO_MANY(name, maxEntities)
    const entity = entityOf(name, definition)
    this.#check(entity)
    this.#defined.set(name, entity)
  }

  /** The entity of this name; without a definition, as the convention has it. */
  of (name: string): Entity {
    return this.#defined.get(name) ?? entityOf(name)
  }

  /**
   * The cache is there: from now on, what it can never drop is no definition.
   * @throws FST_RSP_INVALIDATOR_DEFINITION_INVALID
   */
  ready (cache: Invalidation): void {
    this.#cache = cache
    for (const entity of this.#defined.values()) this.#check(entity)
  }

  #check ({ name, fixed }: Entity): void {
    for (const { path, targets } of fixed) {
      try {
        this.#cache?.check?.(targets)
      } catch (cause) {
        const [value] = (Object.values(targets) as Targets[keyof Targets][]).flat()
        throw Object.assign(new FST_RSP_INVALIDATOR_DEFINITION_INVALID(name, path, `${inspect(value, { maxStringLength: 100 })}: ${(cause as Error).message}`), { cause })
      }
    }
  }
}

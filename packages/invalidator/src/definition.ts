import { inspect } from 'node:util'
import { FST_RSP_INVALIDATOR_DEFINITION_INVALID, FST_RSP_INVALIDATOR_TARGETS_INVALID } from './errors.ts'

/**
 * When a change reaches the cache. `on-write`: before the call resolves. `on-event`: the same here, and every other
 * instance drops when it hears of it. `ttl`: never, entries live out their time.
 */
export type Strategy = 'on-write' | 'ttl' | 'on-event'

/** Texts, or what gives them for an entity. */
export type Texts<Entity> = readonly string[] | ((entity: Entity) => readonly string[])

/** What must leave the cache when an entity changes. */
export interface Definition<Entity> {
  /** @default 'on-write' */
  strategy?: Strategy
  /** Keys of the entity itself. @default `entity:id` where neither keys, lists nor tags are given */
  keys?: Texts<Entity>
  /** Patterns of the lists it may be in, in which `*` stands for any text. @default `entity:list:*` where neither is given */
  lists?: Texts<Entity>
  /** Tags it ends. @default none */
  tags?: Texts<Entity>
  /** Whether it has versions, for `version(entity, id)`: by its `id`, or by what this gives. @default false */
  versioned?: boolean | ((entity: Entity) => string | number | bigint)
}

/** What is to be dropped. */
export interface Targets {
  readonly keys: readonly string[]
  readonly patterns: readonly string[]
  readonly tags: readonly string[]
}

/** A definition that was checked. */
export interface Entity {
  readonly name: string
  readonly strategy: Strategy
  readonly versioned: boolean
  /** What is named without regard to a state, each by its path: to be checked once, at boot. */
  readonly fixed: readonly { readonly path: string, readonly targets: Partial<Targets> }[]
  /** What a change from and to these states ends; states that are not known are left out. */
  targets (states: readonly unknown[]): Targets
}

const strategies: readonly unknown[] = ['on-write', 'ttl', 'on-event']
const lists = ['keys', 'lists', 'tags'] as const

/**
 * Where the version of an entity is kept in the cache: a key like any other, which ends with each change.
 * @param id - as `version` is called with
 */
export const versionKey = (name: string, id: string): string => `version:${name}:${id}`

/** @throws FST_RSP_INVALIDATOR_DEFINITION_INVALID */
export function entityOf (name: string, definition: Definition<never> = {}): Entity {
  if (typeof name !== 'string' || name === '') throw invalid(String(name), 'name', name)
  if (typeof definition !== 'object' || definition === null) throw invalid(name, 'definition', definition)
  checkFields(name, definition)
  const { strategy = 'on-write', versioned = false, ...given } = definition as Definition<unknown>
  const texts = lists.every(list => given[list] === undefined) ? convention(name) : given
  const versionId = typeof versioned === 'function' ? versioned : (state: unknown) => (state as { id?: unknown } | null)?.id
  return Object.freeze({
    name,
    strategy,
    versioned: versioned !== false,
    fixed: lists.flatMap(list => fixedOf(list, texts[list])),
    targets (states: readonly unknown[]) {
      const change = { name, texts, states }
      const keys = textsOf('keys', change)
      if (versioned !== false) keys.push(...new Set(states.map(state => versionKey(name, idOf(name, versionId(state))))))
      return { keys, patterns: textsOf('lists', change), tags: textsOf('tags', change) }
    }
  })
}

function checkFields (name: string, definition: Definition<never>): void {
  for (const [field, value] of Object.entries(definition)) {
    if (value === undefined) continue
    if (field === 'strategy') {
      if (!strategies.includes(value)) throw invalid(name, field, value)
    } else if (field === 'versioned') {
      if (typeof value !== 'boolean' && typeof value !== 'function') throw invalid(name, field, value)
    } else if (!(lists as readonly string[]).includes(field) || (typeof value !== 'function' && !Array.isArray(value))) {
      throw invalid(name, field, value)
    } else if (Array.isArray(value)) {
      value.forEach((text: unknown, i) => { if (!isText(text)) throw invalid(name, `${field}[${i}]`, text) })
    }
  }
}

function fixedOf (list: typeof lists[number], texts: Texts<unknown> | undefined): Entity['fixed'] {
  if (texts === undefined || typeof texts === 'function') return []
  return texts.map((text, i) => ({ path: `${list}[${i}]`, targets: { [list === 'lists' ? 'patterns' : list]: [text] } }))
}

/** What an entity without a definition ends: its key by id, and all its lists. */
function convention (name: string): Definition<unknown> {
  return { keys: entity => [`${name}:${idOf(name, (entity as { id?: unknown } | null)?.id)}`], lists: [`${name}:list:*`] }
}

/** An id as a text. */
export function idOf (name: string, id: unknown): string {
  if ((typeof id === 'string' && id !== '') || typeof id === 'number' || typeof id === 'bigint') return String(id)
  throw new FST_RSP_INVALIDATOR_TARGETS_INVALID(name, `it has no id, and no definition that says how it is named (${shown(id)})`)
}

interface Change { readonly name: string, readonly texts: Definition<unknown>, readonly states: readonly unknown[] }

function textsOf (list: typeof lists[number], { name, texts: { [list]: texts }, states }: Change): string[] {
  if (texts === undefined) return []
  const all = typeof texts === 'function' ? states.map(state => texts(state)) : [texts]
  for (const given of all) {
    if (!Array.isArray(given)) throw new FST_RSP_INVALIDATOR_TARGETS_INVALID(name, `${list} is ${shown(given)}`)
    const at = given.findIndex(text => !isText(text))
    if (at !== -1) throw new FST_RSP_INVALIDATOR_TARGETS_INVALID(name, `${list}[${at}] is ${shown(given[at])}`)
  }
  return [...new Set(all.flat())]
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const shown = (value: unknown) => inspect(value, { depth: 0, maxStringLength: 100 })

const invalid = (name: string, path: string, value: unknown) => new FST_RSP_INVALIDATOR_DEFINITION_INVALID(name, path, shown(value))

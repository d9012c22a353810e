import { inspect } from 'node:util'
import type { Targets } from './definition.ts'
import { FST_RSP_INVALIDATOR_WHAT_INVALID } from './errors.ts'

/** A change of an entity: the states it had and has, as far as they are known. */
export interface EntityChange {
  readonly entity: string
  readonly states: readonly unknown[]
}

/** What is to be dropped: tags, or keys, patterns and tags, or what an entity's definition names. */
export type What = readonly string[] | Partial<Targets> | EntityChange

const isEntityChange = (what: What): what is EntityChange => !Array.isArray(what) && (what as Partial<EntityChange>).entity !== undefined

const lists = ['keys', 'patterns', 'tags'] as const

/**
 * What a caller wants dropped, checked; an entity's change is left to its definition.
 * @throws FST_RSP_INVALIDATOR_WHAT_INVALID
 */
export function checkedWhat (what: What): EntityChange | Targets {
  if (typeof what !== 'object' || what === null) throw invalid('(all)', what)
  if (isEntityChange(what)) {
    if (typeof what.entity !== 'string') throw invalid('entity', what.entity)
    if (!Array.isArray(what.states)) throw invalid('states', what.states)
    return what
  }
  const given = (Array.isArray(what) ? { tags: what } : what) as Partial<Targets>
  for (const [field, texts] of Object.entries(given)) {
    if (!(lists as readonly string[]).includes(field) || (texts !== undefined && !Array.isArray(texts))) throw invalid(field, texts)
    texts?.forEach((text: unknown, i: number) => { if (typeof text !== 'string' || text === '') throw invalid(`${field}[${i}]`, text) })
  }
  return mergedTargets([given])
}

/** All of these, each once. */
export function mergedTargets (all: readonly Partial<Targets>[]): Targets {
  const [keys, patterns, tags] = lists.map(list => [...new Set(all.flatMap(targets => targets[list] ?? []))])
  return { keys: keys!, patterns: patterns!, tags: tags! }
}

const invalid = (path: string, value: unknown) => new FST_RSP_INVALIDATOR_WHAT_INVALID(path, inspect(value, { depth: 0, maxStringLength: 100 }))

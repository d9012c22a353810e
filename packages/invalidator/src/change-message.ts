import type { Targets } from './definition.ts'
import type { EntityChange } from './what.ts'

/**
 * A change as it is told on the bus, the value of its message: `{"entity":"user","keys":["user:7"],"patterns":["user:list:*"],"tags":[]}`.
 * A publisher in another language may leave out what is empty, and `entity`. Or it says which entity changed, and leaves what that
 * ends to the definition: `{"entity":"user","states":[{"id":7,"orgId":1}]}`.
 */
export interface ChangeMessage extends Partial<Targets> {
  readonly entity?: string
  /** The states it had and has, as the definition's functions take them. */
  readonly states?: readonly unknown[]
}

/** Most targets in one message; whoever has more sends several. */
export const most = { keys: 10_000, patterns: 100, tags: 10_000, states: 100 } as const

/** @returns what is to be dropped, or undefined when the message is not of the form above */
export function changeOf (value: unknown): Targets | EntityChange | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { entity, states, keys = [], patterns = [], tags = [] } = value as Record<keyof ChangeMessage, unknown>
  if (entity !== undefined && typeof entity !== 'string') return undefined
  if (states !== undefined) return entity !== undefined && isList(states, most.states) ? { entity, states } : undefined
  return isTexts(keys, most.keys) && isTexts(patterns, most.patterns) && isTexts(tags, most.tags) ? { keys, patterns, tags } : undefined
}

/** Messages with no more targets than one may have, which together say the same. */
export function inParts (message: ChangeMessage): ChangeMessage[] {
  const { keys = [], patterns = [], tags = [] } = message
  if (keys.length <= most.keys && patterns.length <= most.patterns && tags.length <= most.tags) return [message]
  return halves(message).flatMap(inParts)
}

/** Two messages in the place of one; none where it has a single target. */
export function halves ({ entity, keys = [], patterns = [], tags = [] }: ChangeMessage): ChangeMessage[] {
  const all = keys.length + patterns.length + tags.length
  if (all < 2) return []
  const half = all >> 1
  // One row of all targets, cut in the middle.
  const cut = (from: number, to: number): ChangeMessage => ({
    ...(entity === undefined ? {} : { entity }),
    keys: keys.slice(from, to),
    patterns: patterns.slice(Math.max(0, from - keys.length), Math.max(0, to - keys.length)),
    tags: tags.slice(Math.max(0, from - keys.length - patterns.length), Math.max(0, to - keys.length - patterns.length))
  })
  return [cut(0, half), cut(half, all)]
}

const isList = (value: unknown, length: number): value is unknown[] => Array.isArray(value) && value.length <= length
const isTexts = (value: unknown, length: number): value is string[] => isList(value, length) && value.every(text => typeof text === 'string')

import { FST_RSP_SESSION_TOO_LARGE } from '../errors.ts'
import type { Fields, SaveRequest } from './store.ts'

/**
 * The fields after a save.
 * @throws FST_RSP_SESSION_TOO_LARGE when parallel saves together exceed the bound; nothing is stored then
 */
export function merged (before: Fields, { set, deleted, conflict, maxBytes }: Pick<SaveRequest, 'set' | 'deleted' | 'conflict' | 'maxBytes'>): Fields {
  const after = new Map(conflict === 'last-wins' ? [] : before)
  for (const name of deleted) after.delete(name)
  for (const [name, json] of set) after.set(name, json)
  const bytes = bytesOf(after)
  if (bytes > maxBytes) throw new FST_RSP_SESSION_TOO_LARGE([...set.keys()].join(', ').slice(0, 100), bytes, maxBytes)
  return after
}

/** The names that a save touches: with `last-wins` also of what is no longer there. */
export function changedBy ({ set, deleted, conflict }: Pick<SaveRequest, 'set' | 'deleted' | 'conflict'>, before: Fields): Set<string> {
  return new Set([...conflict === 'last-wins' ? before.keys() : [], ...set.keys(), ...deleted])
}

/** What the fields take as JSON. */
export function bytesOf (fields: Fields): number {
  let bytes = 2
  for (const [name, json] of fields) bytes += Buffer.byteLength(name) + Buffer.byteLength(json) + 4
  return bytes
}

/** One JSON object of the fields. */
export function writeFields (fields: Fields): string {
  return `{${[...fields].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`
}

/** The fields of a JSON object. */
export function readFields (text: string): Fields {
  return new Map(Object.entries(JSON.parse(text) as Record<string, unknown>).map(([name, value]) => [name, JSON.stringify(value)]))
}

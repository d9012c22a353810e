import type { Kind } from './packing.ts'
import { typedArray } from './typed-arrays.ts'

/** A value as it was read, and whether it is plain JSON, and so is frozen and may be shared. */
export interface Decoded {
  readonly value: unknown
  readonly plain: boolean
}

/** How one serialised form is read back. */
export interface Escapes {
  /** Letter and parts of an escape, or undefined for what is none. */
  partsOf (value: object): readonly unknown[] | undefined
  /** @throws TypeError for what are no bytes */
  bytes (part: unknown): Uint8Array
}

/** Freezes what has no escapes, through and through. */
export function freeze (value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  // Written by a stranger: data of this name would change the prototype of whatever it is merged into.
  if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__')
  for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}

/**
 * What `pack` was given, from what it made.
 * @throws TypeError, SyntaxError or RangeError for what it has not made
 */
export function unpack (value: unknown, escapes: Escapes): unknown {
  if (typeof value !== 'object' || value === null) return value
  const parts = escapes.partsOf(value)
  if (parts !== undefined) return revive(parts, escapes)
  return Array.isArray(value) ? value.map(part => unpack(part, escapes)) : unpackPlain(Object.entries(value), escapes)
}

function unpackPlain (entries: Iterable<readonly [unknown, unknown]>, escapes: Escapes): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [name, value] of entries) if (name !== '__proto__') out[String(name)] = unpack(value, escapes)
  return out
}

function revive ([letter, first, second]: readonly unknown[], escapes: Escapes): unknown {
  switch (letter as Kind) {
    case 'n': return Number(first)
    case 'i': return BigInt(first as string)
    case 'u': return undefined
    case 'd': return new Date(first === null ? Number.NaN : first as number)
    case 'm': return new Map((first as [unknown, unknown][]).map(([key, value]) => [unpack(key, escapes), unpack(value, escapes)]))
    case 's': return new Set((first as unknown[]).map(part => unpack(part, escapes)))
    case 'r': return new RegExp(unpack(first, escapes) as string, second as string)
    case 'b': return typedArray(first as string, escapes.bytes(second))
    case 'o': return unpackPlain(Array.isArray(first) ? first.map(([name, value]) => [unpack(name, escapes), value]) : Object.entries(first as object), escapes)
    case 't': return Buffer.from(escapes.bytes(first)).toString('utf16le')
    default: throw new TypeError('unknown kind')
  }
}

import { isPromiseLike } from '@respite/redis'
import { typedArrayName } from './typed-arrays.ts'

/** Deeper nesting, or a cycle, is refused: reading it back would overflow the stack. */
export const maxDepth = 500

/**
 * What no form knows by itself, each written with a letter and its parts: odd numbers (−0, NaN, infinities), bigints, `undefined`, dates,
 * maps, sets, regular expressions, bytes; objects whose names, and text whose characters, a form cannot write as they are.
 */
export type Kind = 'n' | 'i' | 'u' | 'd' | 'm' | 's' | 'r' | 'b' | 'o' | 't'

/** How one serialised form writes what it does not know by itself. */
export interface Form {
  escape (kind: Kind, ...parts: unknown[]): unknown
  bytes (view: Uint8Array): unknown
  text (text: string): unknown
  /** @param packed - its values are packed, its names are as they were */
  object (packed: Record<string, unknown>): unknown
}

/**
 * A value as what the form knows: text, finite numbers, booleans, null, arrays and plain objects, and the form's escapes for the rest. An
 * object with `toJSON` is what that gives; an instance of a class, a plain object.
 * @throws TypeError with the reason, for functions, symbols, and what is nested deeper than 500 or contains itself
 */
export function pack (value: unknown, form: Form, depth = 0): unknown {
  switch (typeof value) {
    case 'string': return form.text(value)
    case 'boolean': return value
    case 'number': return Number.isFinite(value) && !Object.is(value, -0) ? value : form.escape('n', Object.is(value, -0) ? '-0' : String(value))
    case 'bigint': return form.escape('i', String(value))
    case 'undefined': return form.escape('u')
    case 'object': return value === null ? null : packObject(value, form, depth)
    default: throw new TypeError(`a ${typeof value} has no serialised form`)
  }
}

function packObject (value: object, form: Form, depth: number): unknown {
  if (depth > maxDepth) throw new TypeError(`it contains itself, or is nested deeper than ${maxDepth}`)
  if (Array.isArray(value)) return packArray(value, form, depth)
  if (value instanceof Date) return form.escape('d', Number.isNaN(value.getTime()) ? null : value.getTime())
  if (value instanceof Map) return form.escape('m', [...value].map(pair => packArray(pair, form, depth + 1)))
  if (value instanceof Set) return form.escape('s', packArray([...value], form, depth + 1))
  if (value instanceof RegExp) return form.escape('r', form.text(value.source), value.flags)
  if (ArrayBuffer.isView(value)) return form.escape('b', typedArrayName(value), form.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)))
  if (value instanceof ArrayBuffer) return form.escape('b', 'ArrayBuffer', form.bytes(new Uint8Array(value)))
  // Before toJSON: some libraries' promises have one, which tells of the promise and not of its value.
  if (isPromiseLike(value)) throw new TypeError('a Promise has no serialised form')
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return pack((value as { toJSON (): unknown }).toJSON(), form, depth + 1)
  if (value instanceof WeakMap || value instanceof WeakSet) throw new TypeError(`a ${value.constructor.name} has no serialised form`)
  return packPlain(value as Record<string, unknown>, form, depth)
}

function packArray (items: readonly unknown[], form: Form, depth: number): unknown[] {
  const out = new Array(items.length)
  for (let i = 0; i < items.length; i++) out[i] = pack(items[i], form, depth + 1)
  return out
}

function packPlain (value: Record<string, unknown>, form: Form, depth: number): unknown {
  const out: Record<string, unknown> = {}
  // `__proto__` is nobody's data; assigned, it would change what `out` is.
  for (const name of Object.keys(value)) if (name !== '__proto__') out[name] = pack(value[name], form, depth + 1)
  return form.object(out)
}

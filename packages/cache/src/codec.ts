/** The codec's number in a record: JSON with an escape for what JSON does not know. */
export const jsonCodec = 1

/** Deeper nesting, or a cycle, is refused: reading it back would overflow the stack. */
const maxDepth = 500

type TypedArrayName = 'Int8Array' | 'Uint8Array' | 'Uint8ClampedArray' | 'Int16Array' | 'Uint16Array' | 'Int32Array' | 'Uint32Array' |
  'Float32Array' | 'Float64Array' | 'BigInt64Array' | 'BigUint64Array'

const typedArrays: Record<TypedArrayName, new (buffer: ArrayBuffer) => ArrayBufferView> = {
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array
}

/**
 * Writes a value as text. What JSON does not know is written as `{"$":[kind, …]}`: dates, bigints, maps, sets, bytes,
 * `undefined`, NaN, infinities, −0 and regular expressions come back as structuredClone would bring them; an object with
 * `toJSON` as what that gives; an instance of a class as a plain object.
 * @throws TypeError with the reason, for functions, symbols, and what is nested deeper than 500 or contains itself
 */
export function encodeValue (value: unknown): string {
  return JSON.stringify(pack(value, 0))
}

function pack (value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean': return value
    case 'number': return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: ['n', Object.is(value, -0) ? '-0' : String(value)] }
    case 'bigint': return { $: ['i', String(value)] }
    case 'undefined': return { $: ['u'] }
    case 'object': return value === null ? null : packObject(value, depth)
    default: throw new TypeError(`a ${typeof value} has no serialised form`)
  }
}

function packObject (value: object, depth: number): unknown {
  if (depth > maxDepth) throw new TypeError(`it contains itself, or is nested deeper than ${maxDepth}`)
  if (Array.isArray(value)) return packArray(value, depth)
  if (value instanceof Date) return { $: ['d', Number.isNaN(value.getTime()) ? null : value.getTime()] }
  if (value instanceof Map) return { $: ['m', [...value].map(pair => packArray(pair, depth + 1))] }
  if (value instanceof Set) return { $: ['s', packArray([...value], depth + 1)] }
  if (value instanceof RegExp) return { $: ['r', value.source, value.flags] }
  if (ArrayBuffer.isView(value)) return packBytes(value)
  if (value instanceof ArrayBuffer) return { $: ['b', 'ArrayBuffer', Buffer.from(value).toString('base64')] }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return pack((value as { toJSON (): unknown }).toJSON(), depth + 1)
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) throw new TypeError(`a ${value.constructor.name} has no serialised form`)
  return packPlain(value as Record<string, unknown>, depth)
}

function packArray (items: readonly unknown[], depth: number): unknown[] {
  const out = new Array(items.length)
  for (let i = 0; i < items.length; i++) out[i] = pack(items[i], depth + 1)
  return out
}

function packBytes (view: ArrayBufferView): unknown {
  const name = view.constructor.name in typedArrays ? view.constructor.name : 'Uint8Array' // a Buffer comes back as a Uint8Array
  return { $: ['b', name, Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64')] }
}

function packPlain (value: Record<string, unknown>, depth: number): unknown {
  const out: Record<string, unknown> = {}
  // `__proto__` is nobody's data; assigned, it would change what `out` is.
  for (const name of Object.keys(value)) if (name !== '__proto__') out[name] = pack(value[name], depth + 1)
  return '$' in out ? { $: ['o', out] } : out
}

/** A value as it was read, and whether it is plain JSON, and so may be frozen and shared. */
export interface Decoded {
  readonly value: unknown
  readonly plain: boolean
}

/**
 * Reads a value back. Plain JSON comes back frozen, through and through.
 * @throws SyntaxError, TypeError or RangeError when the text was not written by `encodeValue`
 */
export function decodeValue (text: string): Decoded {
  const parsed: unknown = JSON.parse(text)
  const plain = !text.includes('"$"')
  return plain ? { value: freeze(parsed), plain } : { value: unpack(parsed), plain }
}

function freeze (value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  // Written by a stranger: data of this name would change the prototype of whatever it is merged into.
  if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__')
  for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}

function unpack (value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(unpack)
  if (Object.hasOwn(value, '$')) return revive((value as { $: unknown[] }).$)
  return unpackPlain(value as Record<string, unknown>)
}

function unpackPlain (value: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const name of Object.keys(value)) if (name !== '__proto__') out[name] = unpack(value[name])
  return out
}

function revive (parts: unknown[]): unknown {
  const [kind, first, second] = parts
  switch (kind) {
    case 'n': return Number(first)
    case 'i': return BigInt(first as string)
    case 'u': return undefined
    case 'd': return new Date(first === null ? Number.NaN : first as number)
    case 'm': return new Map((first as [unknown, unknown][]).map(([key, value]) => [unpack(key), unpack(value)]))
    case 's': return new Set((first as unknown[]).map(unpack))
    case 'r': return new RegExp(first as string, second as string)
    case 'b': return reviveBytes(first as string, second as string)
    case 'o': return unpackPlain(first as Record<string, unknown>)
    default: throw new TypeError('unknown kind')
  }
}

function reviveBytes (name: string, base64: string): unknown {
  const bytes = Buffer.from(base64, 'base64')
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  if (name === 'ArrayBuffer') return buffer
  if (!Object.hasOwn(typedArrays, name)) throw new TypeError('unknown kind of bytes')
  return new typedArrays[name as TypedArrayName](buffer)
}

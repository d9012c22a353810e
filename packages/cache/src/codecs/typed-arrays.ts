type TypedArrayName = 'Int8Array' | 'Uint8Array' | 'Uint8ClampedArray' | 'Int16Array' | 'Uint16Array' | 'Int32Array' | 'Uint32Array' |
  'Float32Array' | 'Float64Array' | 'BigInt64Array' | 'BigUint64Array'

const typedArrays: Record<TypedArrayName, new (buffer: ArrayBuffer) => ArrayBufferView> = {
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array
}

/** The name under which a view comes back: a Buffer, and what is no typed array, as a Uint8Array. */
export function typedArrayName (view: ArrayBufferView): string {
  return Object.hasOwn(typedArrays, view.constructor.name) ? view.constructor.name : 'Uint8Array'
}

/**
 * A view of this name, or an ArrayBuffer, with a copy of the bytes.
 * @throws TypeError for another name, RangeError when the bytes are no whole number of elements
 */
export function typedArray (name: string, bytes: Uint8Array): unknown {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  if (name === 'ArrayBuffer') return buffer
  if (!Object.hasOwn(typedArrays, name)) throw new TypeError('unknown kind of bytes')
  return new typedArrays[name as TypedArrayName](buffer)
}

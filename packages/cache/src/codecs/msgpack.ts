import { ExtData, decode, encode } from '@msgpack/msgpack'
import { type Form, type Kind, maxDepth, pack } from './packing.ts'
import { type Decoded, type Escapes, freeze, unpack } from './reviving.ts'
import { isPlainMsgpack } from './msgpack-shape.ts'

/** An escape is an array that begins with a mark: an extension of this type, whose one byte is the kind's letter. */
const markType = 0

class Mark {
  readonly letter: string

  constructor (letter: string) {
    this.letter = letter
  }
}

const form: Form = {
  escape: (kind, ...parts) => [markOf(kind), ...parts],
  bytes: view => view,
  text: text => isWritable(text) ? text : [markOf('t'), Buffer.from(text, 'utf16le')],
  object: packed => {
    const names = Object.keys(packed)
    return names.every(isWritable) ? packed : [markOf('o'), names.map(name => [form.text(name), packed[name]])]
  }
}

const markOf = (kind: Kind) => new ExtData(markType, Uint8Array.of(kind.charCodeAt(0)))

/** Lone surrogates have no UTF-8, and a leading byte order mark is lost when it is read. */
const isWritable = (text: string) => text.isWellFormed() && text.charCodeAt(0) !== 0xFEFF

const extensions = {
  tryToEncode: (value: unknown) => value instanceof ExtData ? value : null,
  decode: (data: Uint8Array, type: number) => {
    if (type !== markType || data.length !== 1) throw new TypeError('unknown extension')
    return new Mark(String.fromCharCode(data[0]!))
  }
}

const escapes: Escapes = {
  partsOf: value => {
    if (Array.isArray(value)) return value[0] instanceof Mark ? [value[0].letter, ...value.slice(1)] : undefined
    if (value instanceof Mark || value instanceof Uint8Array) throw new TypeError('a mark or bytes outside of an escape')
    return undefined
  },
  bytes: part => {
    if (!(part instanceof Uint8Array)) throw new TypeError('no bytes')
    return part
  }
}

/** @throws TypeError with the reason, for what has no serialised form */
export function encodeMsgpack (value: unknown): Buffer {
  // A packed value is at most as deep as the value, and the lists of a map and its pairs, for each level.
  const bytes = encode(pack(value, form), { extensionCodec: extensions, maxDepth: 4 * maxDepth })
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Reads a value back. What has no escapes comes back frozen, through and through.
 * @throws RangeError, TypeError, SyntaxError or DecodeError when the bytes were not written by `encodeMsgpack`
 */
export function decodeMsgpack (bytes: Uint8Array): Decoded {
  const plain = isPlainMsgpack(bytes)
  const parsed = decode(bytes, { extensionCodec: extensions })
  return { value: plain ? freeze(parsed) : unpack(parsed, escapes), plain }
}

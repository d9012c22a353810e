import { type Form, pack } from './packing.ts'
import { type Decoded, type Escapes, freeze, unpack } from './reviving.ts'

/** An escape is `{"$":[kind, …]}`, and so is an object that has a property of this name. */
const form: Form = {
  escape: (...parts) => ({ $: parts }),
  bytes: view => Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64'),
  text: text => text,
  object: packed => '$' in packed ? { $: ['o', packed] } : packed
}

const escapes: Escapes = {
  partsOf: value => Object.hasOwn(value, '$') ? (value as { $: unknown[] }).$ : undefined,
  bytes: part => Buffer.from(part as string, 'base64')
}

/** @throws TypeError with the reason, for what has no serialised form */
export function encodeJson (value: unknown): string {
  return JSON.stringify(pack(value, form))
}

/**
 * Reads a value back. Plain JSON comes back frozen, through and through.
 * @throws SyntaxError, TypeError or RangeError when the text was not written by `encodeJson`
 */
export function decodeJson (text: string): Decoded {
  const parsed: unknown = JSON.parse(text)
  const plain = !text.includes('"$"')
  return { value: plain ? freeze(parsed) : unpack(parsed, escapes), plain }
}

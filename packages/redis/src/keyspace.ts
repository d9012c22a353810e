import { type Glob, Wild } from './glob.ts'

const plain = /^[\w.~-]+$/
const special = /[^\w.~-]/g
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

/**
 * Writes a part of a key so that it cannot end the part, open or close a hash tag, or act as a glob.
 * Two different parts never become one: the empty part is `%`, a lone surrogate `%uD800`.
 */
export function encodePart (part: string): string {
  if (plain.test(part)) return part
  if (part === '') return '%'
  if (part.isWellFormed()) return percent(part)
  let out = ''
  let from = 0
  for (const hit of part.matchAll(loneSurrogate)) {
    out += percent(part.slice(from, hit.index)) + '%u' + part.charCodeAt(hit.index).toString(16).toUpperCase()
    from = hit.index + 1
  }
  return out + percent(part.slice(from))
}

function percent (text: string): string {
  // encodeURIComponent leaves !'()* as they are; `*` is a glob.
  return encodeURIComponent(text).replace(special, c => c === '%' ? c : '%' + c.charCodeAt(0).toString(16).toUpperCase())
}

/**
 * Reads a part back.
 * @returns undefined when it was not written by `encodePart`
 */
export function decodePart (text: string): string | undefined {
  if (text === '%') return ''
  if (!text.includes('%')) return text
  try {
    return text.split(/(%u[0-9A-F]{4})/).map(piece =>
      piece.startsWith('%u') ? String.fromCharCode(Number.parseInt(piece.slice(2), 16)) : decodeURIComponent(piece)).join('')
  } catch {
    // Foreign bytes under our prefix: nobody's key.
    return undefined
  }
}

/** The shape of one kind of key, such as `val:<ns>:{<key>}`. */
export interface KeyShape {
  /** The key of these parts, as many as the shape has. */
  key (...parts: string[]): string
  /** The parts of a key, or undefined if it is not of this shape. */
  parts (key: string): string[] | undefined
  /** The pattern of all keys with these parts; a `wild('a:*')` part stands for many. */
  glob (...parts: (string | Wild)[]): Glob
  /** What every key of this shape begins with, for CLIENT TRACKING … PREFIX. */
  readonly prefix: string
}

/** Where all keys of an app lie: `respite:v1:<area>:{subject}:<part>`. */
export interface Keyspace {
  /** @default 'respite' */
  readonly keyPrefix: string
  /**
   * @param template - fixed text and holes, such as `session:{<tag>}:s:<hash>`; the braces are the hash tag
   */
  define (template: string): KeyShape
}

/** @param keyPrefix - the first part of every key; escaped like any part */
export function createKeyspace (keyPrefix: string): Keyspace {
  const root = `${encodePart(keyPrefix)}:v1:`
  return Object.freeze({ keyPrefix, define: (template: string) => shape(root, template) })
}

function shape (root: string, template: string): KeyShape {
  const texts = (root + template).split(/<[^>]*>/)
  const holes = texts.length - 1
  const exact = new RegExp('^' + texts.map(escapeRegExp).join('([^:{}]+)') + '$', 's')
  return Object.freeze({
    prefix: texts[0]!,
    key (...parts: string[]) {
      let key = texts[0]!
      for (let i = 0; i < holes; i++) key += encodePart(parts[i]!) + texts[i + 1]!
      return key
    },
    parts (key: string) {
      const found = exact.exec(key)?.slice(1).map(decodePart)
      return found === undefined || found.includes(undefined) ? undefined : found as string[]
    },
    glob (...parts: (string | Wild)[]) {
      const written = parts.map(part => part instanceof Wild && part.text !== '' ? part.text.split('*').map(encodeText).join('*') : encodePart(textOf(part)))
      const join = (write: (text: string) => string, holeOf: (text: string) => string) =>
        texts.map((text, i) => write(text) + (i < holes ? holeOf(written[i]!) : '')).join('')
      const test = new RegExp('^' + join(escapeRegExp, hole => hole.split('*').map(escapeRegExp).join('[^:{}]*')) + '$', 's')
      return { match: join(text => text, hole => hole), test: (key: string) => test.test(key) }
    }
  })
}

const textOf = (part: string | Wild) => part instanceof Wild ? part.text : part
const encodeText = (text: string) => text === '' ? '' : encodePart(text)
const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

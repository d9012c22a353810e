import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A Lua script of the server. One object a script, made once: identity is what the link remembers it by. */
export interface Script {
  /** For metrics and errors, such as `cache.fill`. */
  readonly name: string
  /** The source as it lies in its file. */
  readonly lua: string
  /** SHA-1 of `lua`, as EVALSHA wants it. */
  readonly sha: string
  /** The source with the line `#!lua flags=…` in front, and its SHA-1, for servers that know it. */
  readonly flagged: { readonly lua: string, readonly sha: string }
  /** Strings answer as strings, or as Buffers. */
  readonly reply: 'text' | 'bytes'
  /** `follow`: a Cluster's MOVED is followed. `refuse`: it is an error, and nothing is sent again. */
  readonly redirect: 'follow' | 'refuse'
}

/** How a script is to be run. */
export interface ScriptOptions {
  /** @default 'text' */
  reply?: 'text' | 'bytes'
  /** @default 'follow' */
  redirect?: 'follow' | 'refuse'
  /** Flags for Redis 7 and Valkey, such as `allow-oom`; older servers run the script without. */
  flags?: readonly ('allow-oom' | 'no-writes' | 'allow-stale' | 'no-cluster' | 'allow-cross-slot-keys')[]
}

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

/**
 * A script from its source.
 * @param name - for metrics and errors, such as `cache.fill`
 */
export function defineScript (name: string, lua: string, options: ScriptOptions = {}): Script {
  const flagged = `#!lua flags=${(options.flags ?? []).join(',')}\n${lua}`
  return Object.freeze({
    name,
    lua,
    sha: sha1(lua),
    flagged: Object.freeze({ lua: flagged, sha: sha1(flagged) }),
    reply: options.reply ?? 'text',
    redirect: options.redirect ?? 'follow'
  })
}

/**
 * A script from its file in a package's `lua/` folder.
 * @param file - such as `new URL('../lua/fill.lua', import.meta.url)`
 */
export function loadScript (name: string, file: URL, options: ScriptOptions = {}): Script {
  return defineScript(name, readFileSync(file, 'utf8'), options)
}

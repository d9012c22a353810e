import { inspect } from 'node:util'
import {
  FST_RSP_SESSION_FIELD_INVALID, FST_RSP_SESSION_NOT_SERIALISABLE, FST_RSP_SESSION_OFF, FST_RSP_SESSION_TOO_LARGE, FST_RSP_SESSION_TOO_MANY_FIELDS
} from '../errors.ts'
import type { Held } from '../copies.ts'
import { fieldOf, type FoundSession } from '../found-session.ts'
import type { Transport } from '../options.ts'
import { bytesOf } from '../stores/merge.ts'

/** The fields of a session and their types; declared by the app: `declare module '@respite/session' { interface SessionData { cart: string[] } }`. */
export interface SessionData {}

/** A field's type, as declared; `unknown` for one that is not. */
export type SessionValue<Name extends string> = Name extends keyof SessionData ? SessionData[Name] : unknown

/** `request.session`. */
export interface Session {
  /** The public id: safe to show; undefined while there is no session. */
  readonly id: string | undefined
  /** Undefined for a visitor. */
  readonly userId: string | undefined
  /** A field. What is changed within a value is not saved: set it again. */
  get<Name extends string> (name: Name): SessionValue<Name> | undefined
  /**
   * Sets a field; saved before the response is sent. A visitor gets a session, and a cookie, with the first one.
   * @throws FST_RSP_SESSION_NOT_SERIALISABLE, FST_RSP_SESSION_TOO_LARGE, FST_RSP_SESSION_TOO_MANY_FIELDS, FST_RSP_SESSION_FIELD_INVALID, FST_RSP_SESSION_OFF
   */
  set<Name extends string> (name: Name, value: SessionValue<Name>): void
  /** Removes a field. @throws FST_RSP_SESSION_OFF */
  delete (name: string): void
  /** The names of all fields. */
  names (): string[]
}

const maxFields = 1_000

/** A request's session: what was found, and what the request changes of it. */
export class RequestSession implements Session {
  /** Who is claimed: a verified token. */
  held: Held | undefined
  via: Transport | undefined
  found: FoundSession | undefined
  /** The token to be set as a cookie, or '' to remove it. */
  cookie: string | undefined
  /** How long the browser keeps that cookie, ms; undefined: as the options say. */
  keptMs: number | undefined
  readonly #maxBytes: number
  readonly #off: boolean
  // undefined: deleted.
  #changes: Map<string, string | undefined> | undefined
  #values: Map<string, unknown> | undefined
  // The look-up's answer may come before or after it is waited for.
  #answer: Error | null | undefined
  #waiting: ((error: Error | null) => void) | undefined

  /** @param off - the route has no session: reads as a visitor's, and cannot be written */
  constructor (maxBytes: number, off = false) {
    this.#maxBytes = maxBytes
    this.#off = off
  }

  get id (): string | undefined { return this.found?.sid }
  get userId (): string | undefined { return this.found?.userId }
  get off (): boolean { return this.#off }
  get changed (): boolean { return this.#changes !== undefined && this.#changes.size > 0 }

  /** The look-up has answered. */
  settle (error: Error | null, found: FoundSession | undefined): void {
    this.found = found
    this.#answer = error
    this.#waiting?.(error)
  }

  /** Calls back once the look-up has answered; at once if it has. */
  whenSettled (callback: (error: Error | null) => void): void {
    if (this.#answer !== undefined) callback(this.#answer)
    else this.#waiting = callback
  }

  get<Name extends string> (name: Name): SessionValue<Name> | undefined {
    if (this.#values?.has(name)) return this.#values.get(name) as SessionValue<Name>
    const json = this.#json(name)
    const value = json === undefined ? undefined : JSON.parse(json)
    this.#values ??= new Map()
    this.#values.set(name, value)
    return value as SessionValue<Name>
  }

  set<Name extends string> (name: Name, value: SessionValue<Name>): void {
    if (this.#off) throw new FST_RSP_SESSION_OFF()
    if (typeof name !== 'string' || name.length < 1 || name.length > 200 || !name.isWellFormed() || name.includes('\0')) {
      throw new FST_RSP_SESSION_FIELD_INVALID(inspect(name, { maxStringLength: 40, depth: 0 }))
    }
    if (value === undefined) {
      this.delete(name)
      return
    }
    const json = written(name, value)
    this.#values?.delete(name)
    if (json === this.#stored(name)) {
      // As it is in the store: nothing to write, also if it was changed and changed back.
      this.#changes?.delete(name)
      return
    }
    this.#checkSize(name, json)
    this.#changes ??= new Map()
    this.#changes.set(name, json)
  }

  delete (name: string): void {
    if (this.#off) throw new FST_RSP_SESSION_OFF()
    this.#values?.delete(name)
    if (this.#stored(name) === undefined) {
      this.#changes?.delete(name)
      return
    }
    this.#changes ??= new Map()
    this.#changes.set(name, undefined)
  }

  names (): string[] {
    return [...this.raw().keys()]
  }

  /** All fields as JSON, with this request's changes. */
  raw (): Map<string, string> {
    const all = new Map<string, string>()
    const flat = this.found?.flat ?? []
    for (let i = 0; i < flat.length; i += 2) if (flat[i]!.startsWith('f:')) all.set(flat[i]!.slice(2), flat[i + 1]!)
    for (const [name, json] of this.#changes ?? []) {
      if (json === undefined) all.delete(name)
      else all.set(name, json)
    }
    return all
  }

  /** Hands over what changed; from here on it is as if nothing had. */
  takeChanges (): { set: Map<string, string>, deleted: string[] } {
    const set = new Map<string, string>()
    const deleted: string[] = []
    for (const [name, json] of this.#changes ?? []) {
      if (json === undefined) deleted.push(name)
      else set.set(name, json)
    }
    this.#changes = undefined
    return { set, deleted }
  }

  /** Another session, or none, takes the place of this request's; unsaved changes go with the old one. */
  become (found: FoundSession | undefined, held: Held | undefined): void {
    this.found = found
    this.held = held
    this.keptMs = undefined
    this.#changes = undefined
    this.#values = undefined
    this.#answer = null
  }

  #json (name: string): string | undefined {
    return this.#changes?.has(name) ? this.#changes.get(name) : this.#stored(name)
  }

  #stored (name: string): string | undefined {
    return this.found && fieldOf(this.found, name)
  }

  #checkSize (name: string, json: string): void {
    const all = this.raw().set(name, json)
    if (all.size > maxFields) throw new FST_RSP_SESSION_TOO_MANY_FIELDS(name, maxFields)
    const bytes = bytesOf(all)
    if (bytes > this.#maxBytes) throw new FST_RSP_SESSION_TOO_LARGE(name, bytes, this.#maxBytes)
  }
}

function written (name: string, value: unknown): string {
  let json: string | undefined
  try {
    json = JSON.stringify(value)
  } catch (cause) {
    throw new FST_RSP_SESSION_NOT_SERIALISABLE(name, { cause })
  }
  // Functions and symbols.
  if (json === undefined) throw new FST_RSP_SESSION_NOT_SERIALISABLE(name)
  return json
}

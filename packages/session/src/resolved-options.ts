import type { ConflictMode, DataMode, Transport } from './options.ts'
import type { SessionStore } from './stores/store.ts'

/** What `SessionOptions` are once checked and complete; durations in ms. */
export interface ResolvedOptions {
  readonly secrets: readonly string[] | undefined
  readonly durable: SessionStore | 'none' | undefined
  readonly afterFailover: 'end' | 'trust'
  readonly migrate: boolean
  readonly perUser: { readonly max: number, readonly onExceed: 'replace' | 'evict-oldest' | 'reject' }
  readonly idle: number
  readonly absolute: number
  readonly remember?: { readonly idle: number, readonly absolute: number }
  readonly touchEvery: number
  readonly rotateEvery: number
  readonly grace: number
  readonly transports: readonly Transport[]
  readonly conflict: ConflictMode
  readonly data: DataMode
  readonly flushEvery: number
  readonly maxDataBytes: number
  readonly cookie: CookieOptions
  readonly csrf: boolean | { readonly origins: readonly string[] }
  readonly pollEvery: number
  readonly trust: number
  readonly durableDown: number
  readonly durableDeadline: number
  readonly recheckEvery: number
  readonly maxSessions: number
  readonly l1: boolean | { readonly maxAge: number, readonly maxItems: number, readonly maxBytes: number }
}

/** The cookie's name and attributes; HttpOnly is always set. */
export interface CookieOptions {
  readonly name: string
  readonly path: string
  readonly domain?: string
  readonly secure: boolean
  readonly sameSite: 'lax' | 'strict' | 'none'
  readonly persistent: boolean
}

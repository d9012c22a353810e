import { inspect } from 'node:util'
import { FST_RSP_SESSION_NOT_SERIALISABLE } from '../errors.ts'
import type { Fields } from '../stores/store.ts'

/** A session as @fastify/session and express-session give it: the app's fields, and its cookie. */
export interface StoredSession {
  cookie: {
    originalMaxAge?: number | null
    maxAge?: number | null
    expires?: Date | string | null
  }
}

/** What a session's cookie says of its end. */
type CookieEnd = Pick<StoredSession['cookie'], 'originalMaxAge' | 'expires'>

// Two fields: the library gives the data as a whole, and its cookie changes with every request.
const dataField = 'data'
const cookieField = 'cookie'

/**
 * The session as fields. When the cookie has an age, its date is left out: `read` tells it from what the session has left.
 * @throws FST_RSP_SESSION_NOT_SERIALISABLE
 */
export function write (session: StoredSession): Fields {
  try {
    const { cookie, ...data } = JSON.parse(JSON.stringify(session)) as Record<string, unknown>
    return new Map([[dataField, JSON.stringify(data)], [cookieField, JSON.stringify(withoutDates((cookie ?? {}) as CookieEnd))]])
  } catch (cause) {
    throw new FST_RSP_SESSION_NOT_SERIALISABLE(inspect(session?.constructor?.name ?? typeof session), { cause })
  }
}

/** The session of its fields, or undefined if they are no such session's. */
export function read (fieldOf: (name: string) => string | undefined, expiresAt: Date): StoredSession | undefined {
  const [data, cookieText] = [fieldOf(dataField), fieldOf(cookieField)]
  if (data === undefined || cookieText === undefined) return undefined
  const cookie = JSON.parse(cookieText) as CookieEnd
  if (ageOf(cookie) !== undefined) cookie.expires = expiresAt
  return { ...JSON.parse(data) as object, cookie }
}

/**
 * How long the session may be idle, ms: the cookie's age, or what is left to its date; 0 or less: it has ended.
 * @returns undefined when the cookie has neither
 */
export function idleOf (session: StoredSession, wallMs: number): number | undefined {
  const cookie = session.cookie ?? {}
  const age = ageOf(cookie)
  if (age !== undefined || cookie.expires === undefined || cookie.expires === null) return age
  const endsMs = new Date(cookie.expires).getTime()
  return Number.isNaN(endsMs) ? undefined : endsMs - wallMs
}

function withoutDates (cookie: CookieEnd): object {
  if (ageOf(cookie) === undefined) return cookie
  const { expires, originalExpires, ...rest } = cookie as CookieEnd & { originalExpires?: unknown }
  return rest
}

function ageOf ({ originalMaxAge }: CookieEnd): number | undefined {
  return typeof originalMaxAge === 'number' && Number.isFinite(originalMaxAge) ? originalMaxAge : undefined
}

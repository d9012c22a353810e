import { createHash } from 'node:crypto'
import type { Lifetime } from './freshness.ts'

/** An answer as it is stored. */
export interface StoredResponse {
  readonly status: number
  /** Only what the handler has set: never what hooks put on every answer. */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: string | Uint8Array
  /** The handler's, or one made from the body. */
  readonly etag: string
  /** When it was filled, by the filler's wall clock: for what clients read, and how long it has been stale. That it is fresh, the store's clock says. */
  readonly atMs: number
  readonly life: Lifetime
}

/** Whether what was read is an answer: a stranger may have written under its key. */
export function isStored (value: unknown): value is StoredResponse {
  const { status, headers, body, etag, atMs, life } = (value ?? {}) as Partial<StoredResponse>
  return isStoredStatus(status) && typeof headers === 'object' && headers !== null && typeof etag === 'string' && typeof atMs === 'number' &&
    typeof life === 'object' && life !== null && typeof life.freshMs === 'number' && (typeof body === 'string' || body instanceof Uint8Array)
}

/**
 * Final statuses whose whole meaning lies in the answer itself, that may be stored when it says for how long. Never 206,
 * 429 or 5xx. @see RFC 9110, 15.1
 */
const explicit = new Set([200, 203, 300, 301, 302, 307, 308, 404, 405, 410, 414])

/** Whether an answer of this status may be stored at all. */
export function isStoredStatus (status: unknown): status is number {
  return explicit.has(status as number)
}

/** Its Age in ms; while it is fresh, less than its lifetime, whatever the clocks say. @see RFC 9111, 4.2.3 */
export function ageMs ({ atMs, life }: StoredResponse, nowMs: number, fresh: boolean): number {
  const resident = Math.max(0, nowMs - atMs)
  return life.ageMs + (fresh ? Math.min(resident, Math.max(0, life.freshMs - 1)) : resident)
}

/** A strong validator: other bytes, type or encoding have another. @see RFC 9110, 8.8.3 */
export function etagOf (body: string | Uint8Array, headers: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256').update(`${String(headers['content-type'])}\n${String(headers['content-encoding'])}\n`).update(body)
  return `"${hash.digest('base64url').slice(0, 27)}"`
}

import { defineOptions, type Duration } from '@respite/redis'
import type { OnBanned, OnExceeded } from './events.ts'
import type { Exempt } from './http/exemption.ts'
import type { ErrorBuilder } from './http/refusal.ts'
import { type AppLoadOptions, appLoadSchema } from './load-options.ts'
import { type LimitOptions, limitSchema, type OnStoreError } from './limit.ts'

/** Which headers tell a client its budget. */
export type HeaderForm = 'x-ratelimit' | 'draft'

/** Options of the plugin. */
export interface RateLimitOptions {
  /** Limits of every route, unknown ones included, beside what a route says itself. @default [] */
  limits?: readonly LimitOptions[]
  /** Limits that count only where a route or a call names them. @default [] */
  named?: readonly LimitOptions[]
  /** What happens while the store is away. @default 'local' */
  onStoreError?: OnStoreError
  /** Longest time a question to the store is waited for; limits with `key` are a second one of a request. @default 50 */
  timeoutMs?: Duration
  /** Addresses and CIDR ranges that no limit counts. @default [] */
  allow?: readonly string[]
  /** Addresses and CIDR ranges that are refused with 403 on every route, those with `rateLimit: false` too; also when they are allowed. @default [] */
  deny?: readonly string[]
  /** Whether no limit counts a request; asked once a request, after the session was read. */
  exempt?: Exempt
  /** Headers that tell a client its budget; `retry-after` is always sent. @default ['x-ratelimit'] */
  headers?: readonly HeaderForm[]
  /** Makes the body of a 429: an object is sent as JSON, a string as text, an Error goes to the app's error handler. */
  errorBuilder?: ErrorBuilder
  /** Told of each refusal, also of what a limit in shadow mode would refuse. What it throws breaks nothing. */
  onExceeded?: OnExceeded
  /** Told of each ban that begins. What it throws breaks nothing. */
  onBanned?: OnBanned
  /** Keeps units of the limits free while this process is busy. */
  load?: AppLoadOptions
  /** Subjects counted in the memory of this process at most. @default 100000 */
  maxKeys?: number
}

/** Options as they hold; the limits are resolved one by one. */
export interface ResolvedRateLimitOptions {
  readonly limits: readonly LimitOptions[]
  readonly named: readonly LimitOptions[]
  readonly onStoreError: OnStoreError
  readonly timeoutMs: number
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly exempt: Exempt | undefined
  readonly headers: readonly HeaderForm[]
  readonly errorBuilder: ErrorBuilder | undefined
  readonly onExceeded: OnExceeded | undefined
  readonly onBanned: OnBanned | undefined
  readonly load: AppLoadOptions
  readonly maxKeys: number
}

/** Types, bounds and defaults of all options. */
export const optionsSchema = {
  properties: {
    limits: { type: 'array', items: limitSchema, default: [], description: 'Limits of every route, unknown ones included, beside what a route says itself.' },
    named: { type: 'array', items: limitSchema, default: [], description: 'Limits that count only where a route or a call names them.' },
    onStoreError: { enum: ['local', 'open', 'closed'], default: 'local', description: 'While the store is away: `local` counts this process\' share, `open` lets everybody pass, `closed` answers 503.' },
    timeoutMs: { duration: true, minimumMs: 1, maximumMs: 10_000, default: 50, description: 'Longest time a question to the store is waited for; limits with `key` are a second one of a request.' },
    allow: { type: 'array', items: { type: 'string' }, maxItems: 10_000, default: [], description: 'Addresses and CIDR ranges that no limit counts.' },
    deny: { type: 'array', items: { type: 'string' }, maxItems: 10_000, default: [], description: 'Addresses and CIDR ranges that are refused with 403 on every route, those with `rateLimit: false` too; also when they are allowed.' },
    exempt: { instance: 'function', description: 'Whether no limit counts a request: `request => boolean`, async too. Asked once a request, after the session was read; limits by address and user are asked after it.' },
    headers: { type: 'array', items: { enum: ['x-ratelimit', 'draft'] }, uniqueItems: true, default: ['x-ratelimit'], description: 'Headers that tell a client its budget: `x-ratelimit-*`, or `ratelimit` and `ratelimit-policy` of the IETF draft. `retry-after` is always sent.' },
    errorBuilder: { instance: 'function', description: 'Makes the body of a 429: `(request, refusal) => body`. An object is sent as JSON, a string as text, an Error goes to the app\'s error handler.' },
    onExceeded: { instance: 'function', description: 'Told of each refusal, also of what a limit in shadow mode would refuse: `({ limits, shadow }, request) => void`; of a `take` there is no request. What it throws is logged and breaks nothing.' },
    onBanned: { instance: 'function', description: 'Told of each ban that begins, by the process whose refusal has begun it: `({ name, key, banMs, times, shadow }, request) => void`. What it throws is logged and breaks nothing.' },
    load: appLoadSchema,
    maxKeys: { type: 'integer', minimum: 1_000, maximum: 10_000_000, default: 100_000, description: 'Subjects counted in the memory of this process at most; a flood of new ones drops nobody who is refused.' }
  }
}

/**
 * Checks the options and fills in the defaults.
 * @throws FST_RSP_OPTION_INVALID
 */
export const resolveOptions = defineOptions<RateLimitOptions, ResolvedRateLimitOptions>('ratelimit', optionsSchema)

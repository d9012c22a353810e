import type { Duration } from '@respite/redis'
import { intervalUs } from '../algorithms/gcra.ts'
import { durationText } from '../duration-text.ts'
import { FST_RSP_RATELIMIT_LIMIT_INVALID } from '../errors.ts'
import type { Rule } from '../rule.ts'

/** How permits of a limit are leased. */
export interface LeaseOptions {
  /** How long permits may be spent after they were asked for, 100 ms to a minute. @default 2000 */
  lifetimeMs?: Duration
  /** With `gcra`: a lease is charged as if it were spent at its end, so that no interval admits more than without leases. @default false */
  strict?: boolean
}

/** As the schema leaves them. */
export type GivenLease = true | { lifetimeMs?: number, strict?: boolean }

/** The lease of a limit, checked and complete. */
export interface LeaseRule { readonly lifetimeMs: number, readonly strict: boolean }

const defaultLifetimeMs = 2_000
const leasable: readonly string[] = ['fixed-window', 'gcra']
/** Options that must see each request. */
const perRequest = ['ban', 'limitFor'] as const

/** Types and bounds of `lease`. */
export const leaseSchema = {
  anyOf: [
    {
      type: 'object',
      additionalProperties: false,
      properties: {
        lifetimeMs: { duration: true, minimumMs: 100, maximumMs: 60_000, description: 'How long permits may be spent after they were asked for. By default 2 s.' },
        strict: { type: 'boolean', description: 'With `gcra`: a lease is charged as if it were spent at its end, so that no interval admits more than without leases.' }
      }
    },
    { const: true }
  ]
} as const

/**
 * The lease of a limit.
 * @param beside - the limit's other options
 * @throws FST_RSP_RATELIMIT_LIMIT_INVALID when the limit cannot be leased
 */
export function leaseRule (given: GivenLease, rule: Rule, beside: Readonly<Partial<Record<typeof perRequest[number], unknown>>>): LeaseRule {
  const lease = { lifetimeMs: defaultLifetimeMs, strict: false, ...given === true ? {} : given }
  const why = contradictionOf(lease, rule) ?? perRequest.filter(option => beside[option] !== undefined).map(option => `'lease' answers without a question, which '${option}' needs`)[0]
  if (why !== undefined) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(rule.name, why)
  return Object.freeze(lease)
}

function contradictionOf ({ lifetimeMs, strict }: LeaseRule, rule: Rule): string | undefined {
  if (!leasable.includes(rule.algorithm)) return `'lease' belongs to ${leasable.join(' and ')}, got algorithm '${rule.algorithm}'`
  if (!strict) return undefined
  if (rule.algorithm !== 'gcra') return `'lease.strict' belongs to gcra, got true with ${rule.algorithm}, which never admits more by leases`
  const burstUs = rule.capacity * intervalUs(rule)
  if (burstUs >= lifetimeMs * 1_000 + intervalUs(rule)) return undefined
  return `'lease.strict' needs a burst that takes longer to come back than 'lease.lifetimeMs' and one unit, got ${durationText(lifetimeMs)} and a burst of ${rule.capacity}`
}

/** Whether each process has less than one permit a lifetime, so that leases save nothing. */
export const isUseless = ({ lifetimeMs }: LeaseRule, { limit, windowMs }: Rule, nodes: number) => limit * lifetimeMs < windowMs * nodes

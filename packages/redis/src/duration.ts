import { inspect } from 'node:util'
import { FST_RSP_DURATION_INVALID } from './errors.ts'

/** Milliseconds, or a number with its unit: `'250ms'`, `'10s'`, `'5m'`, `'12h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const form = /^(\d{1,15}(?:\.\d{1,3})?)(ms|s|m|h|d)$/

/**
 * A duration in milliseconds.
 * @param name - the option's name, for the error
 * @returns a whole number, 0 or more
 * @throws FST_RSP_DURATION_INVALID when it is negative, not finite, or in no known unit
 */
export function durationMs (value: Duration, name = 'duration'): number {
  if (typeof value === 'number' && Number.isSafeInteger(Math.round(value)) && value >= 0) return Math.round(value)
  const parts = typeof value === 'string' ? form.exec(value) : null
  const ms = parts === null ? Number.NaN : Math.round(Number(parts[1]) * unitMs[parts[2]!]!)
  if (!Number.isSafeInteger(ms)) throw new FST_RSP_DURATION_INVALID(name, inspect(value))
  return ms
}

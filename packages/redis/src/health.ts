import type { LinkState } from './link/link.ts'

/** `ok`: all is well. `degraded`: the app works, with less. `down`: it cannot do its work. */
export type HealthStatus = 'ok' | 'degraded' | 'down'

/** A plugin's part of the report; never a secret, never an id. */
export interface HealthPart {
  status: HealthStatus
  [detail: string]: unknown
}

export interface HealthReport {
  /** The worst of the parts. */
  status: HealthStatus
  redis: {
    state: LinkState
    /** Of a PING just now, in ms; null when it was not answered. */
    latencyMs: number | null
    /** Since when the state is what it is, ISO 8601. */
    since: string
    /** Such as `redis 7.0.15`; null while unknown or embedded. */
    server: string | null
    /** Why the state is not `up`. */
    reason?: string
  }
  breaker: 'closed' | 'open' | 'half-open'
  parts: Record<string, HealthPart>
}

export interface Health {
  /** @throws TypeError when the name is taken */
  add (name: string, part: () => HealthPart | Promise<HealthPart>): void
  report (): Promise<HealthReport>
}
